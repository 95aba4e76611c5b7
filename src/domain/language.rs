//! The query language: what a person types, read into an [`Expression`].
//!
//! A small, documented subset of what people know from Lucene (`docs/query-language.md` is its manual): words, `"phrases"`,
//! `beginnings*`, `title:word`, `country:FI`, `AND`, `OR`, `NOT`, `+`, `-` and parentheses. Words that merely stand
//! beside each other are alternatives, ranked; constraints that stand beside words hold. Anything else is refused with the
//! column where it stands and what to write instead. Reading is one pass without backtracking, bounded in length, clauses and depth.

use std::fmt;

use super::query::{Expression, FacetField, TextField};

/// The longest query, in characters.
pub const MAX_LENGTH: usize = 1_000;
/// The most words, phrases, beginnings and constraints in a query.
pub const MAX_CLAUSES: usize = 64;
/// The deepest nesting of parentheses.
pub const MAX_DEPTH: usize = 8;
/// The shortest beginning that may carry a `*`, in characters.
pub const MIN_PREFIX: usize = 3;

/// A query that cannot be read: where, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {detail}")]
pub struct QueryError {
    /// The place, counted in characters from 1.
    pub column: usize,
    /// What is wrong there and what to do.
    pub detail: String,
}

/// Reads a query. A blank one is refused: to ask for everything, leave the query out.
pub fn parse(text: &str) -> Result<Expression, QueryError> {
    let chars: Vec<char> = text.chars().collect();
    if chars.len() > MAX_LENGTH {
        return Err(QueryError {
            column: MAX_LENGTH + 1,
            detail: format!("the query is longer than {MAX_LENGTH} characters; leave out words"),
        });
    }
    let mut parser = Parser { chars: &chars, at: 0, clauses: 0, depth: 0 };
    let operand = parser.list()?;
    if !parser.at_end() {
        return Err(parser.error("this ')' closes nothing; remove it or open it before"));
    }
    if operand.occur == Occur::MustNot {
        return Err(QueryError {
            column: 1,
            detail: "the query only says what must not be there; add at least one word to look for, \
                     as in `speech AND NOT music`"
                .to_owned(),
        });
    }
    Ok(operand.expression)
}

/// How an operand takes part in the list it stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Occur {
    Should,
    Must,
    MustNot,
}

struct Operand {
    occur: Occur,
    expression: Expression,
}

struct Parser<'a> {
    chars: &'a [char],
    at: usize,
    clauses: usize,
    depth: usize,
}

impl Parser<'_> {
    /// Operands side by side, to the end or to a closing parenthesis.
    fn list(&mut self) -> Result<Operand, QueryError> {
        let opened = self.at;
        let mut operands = Vec::new();
        loop {
            self.skip_blanks();
            if self.at_end() || self.peek() == Some(')') {
                break;
            }
            operands.push(self.alternatives()?);
        }
        if operands.is_empty() {
            let detail = if self.at_end() && opened == 0 {
                "the query is empty; leave it out to list everything"
            } else {
                "there is nothing between these parentheses; write a word or remove them"
            };
            return Err(self.error_at(opened, detail));
        }
        Ok(side_by_side(operands))
    }

    /// `a OR b OR c`.
    fn alternatives(&mut self) -> Result<Operand, QueryError> {
        let start = self.at;
        let first = self.conjunction()?;
        if !self.next_is("OR") {
            return Ok(first);
        }
        let mut any = Vec::new();
        let mut operand = (start, first);
        loop {
            let (column, Operand { occur, expression }) = operand;
            if occur == Occur::MustNot {
                return Err(self.error_at(
                    column,
                    "an alternative cannot be a negation, because nearly everything would match; write `a AND NOT b`",
                ));
            }
            any.push(expression);
            if !self.take("OR")? {
                break;
            }
            self.skip_blanks();
            operand = (self.at, self.conjunction()?);
        }
        Ok(Operand { occur: Occur::Should, expression: or(any) })
    }

    /// `a AND b AND NOT c`.
    fn conjunction(&mut self) -> Result<Operand, QueryError> {
        let first = self.signed()?;
        if !self.next_is("AND") {
            return Ok(first);
        }
        let mut operands = vec![first];
        while self.take("AND")? {
            operands.push(self.signed()?);
        }
        if operands.iter().all(|operand| operand.occur == Occur::MustNot) {
            let none = operands.into_iter().map(|operand| operand.expression).collect();
            return Ok(Operand { occur: Occur::MustNot, expression: or(none) });
        }
        let all = operands.into_iter().map(|operand| match operand.occur {
            Occur::MustNot => Expression::Not(Box::new(operand.expression)),
            Occur::Must | Occur::Should => operand.expression,
        });
        Ok(Operand { occur: Occur::Should, expression: and(all.collect()) })
    }

    /// An operand with its signs: `+a`, `-a`, `NOT a`.
    fn signed(&mut self) -> Result<Operand, QueryError> {
        let mut occur = Occur::Should;
        loop {
            self.skip_blanks();
            let sign = match self.peek() {
                Some('+') => Occur::Must,
                Some('-') => Occur::MustNot,
                _ if self.next_is("NOT") => Occur::MustNot,
                _ => break,
            };
            let column = self.at;
            self.at += if matches!(self.peek(), Some('+' | '-')) { 1 } else { 3 };
            self.skip_blanks();
            if self.at_end() || self.peek() == Some(')') || self.next_is("AND") || self.next_is("OR") {
                return Err(self.error_at(column, "this sign needs a word after it; remove it or write the word"));
            }
            occur = match (occur, sign) {
                (Occur::MustNot, Occur::MustNot) => Occur::Must,
                (Occur::MustNot, _) | (_, Occur::MustNot) => Occur::MustNot,
                _ => Occur::Must,
            };
        }
        let inner = self.primary()?;
        let occur = match (occur, inner.occur) {
            (Occur::MustNot, Occur::MustNot) => Occur::Must,
            (Occur::MustNot, _) | (_, Occur::MustNot) => Occur::MustNot,
            (outer, _) => outer,
        };
        Ok(Operand { occur, expression: inner.expression })
    }

    fn primary(&mut self) -> Result<Operand, QueryError> {
        if self.next_is("AND") || self.next_is("OR") {
            return Err(self.error("AND and OR stand between two words; for the word itself write it in lower case"));
        }
        if self.peek() == Some('(') {
            let opened = self.at;
            self.depth += 1;
            if self.depth > MAX_DEPTH {
                return Err(self.error("parentheses are nested too deeply; write the query flatter"));
            }
            self.at += 1;
            let operand = self.list()?;
            if self.peek() != Some(')') {
                return Err(self.error_at(opened, "this '(' is never closed; add ')'"));
            }
            self.at += 1;
            self.depth -= 1;
            return Ok(operand);
        }
        self.clauses += 1;
        if self.clauses > MAX_CLAUSES {
            return Err(self.error(&format!("more than {MAX_CLAUSES} words and constraints; leave some out")));
        }
        let expression = match self.field()? {
            Some(Field::Facet(field)) => self.constraint(field)?,
            Some(Field::Text(field)) => self.text_clause(field)?,
            None => self.text_clause(None)?,
        };
        Ok(Operand { occur: Occur::Should, expression })
    }

    /// `name:` before a value, where it stands here.
    fn field(&mut self) -> Result<Option<Field>, QueryError> {
        let rest = &self.chars[self.at..];
        let length = rest.iter().take_while(|c| c.is_ascii_alphabetic() || **c == '_').count();
        if length == 0 || rest.get(length) != Some(&':') {
            return Ok(None);
        }
        let name: String = rest[..length].iter().collect::<String>().to_ascii_lowercase();
        let is_identifier = ["doi", "http", "https", "urn", "spiffe", "did"].contains(&name.as_str());
        if is_identifier {
            return Ok(None);
        }
        let field = match name.as_str() {
            "all" => Field::Text(None),
            "title" => Field::Text(Some(TextField::Title)),
            "description" => Field::Text(Some(TextField::Description)),
            "keyword" => Field::Text(Some(TextField::Keyword)),
            "publisher" => Field::Text(Some(TextField::Publisher)),
            other => match FacetField::from_name(other) {
                Some(field) => Field::Facet(field),
                None => return Err(self.error(&unknown_field(other))),
            },
        };
        self.at += length + 1;
        match self.peek() {
            Some(c) if !c.is_whitespace() && c != ')' && c != '(' => Ok(Some(field)),
            Some('(') => {
                Err(self
                    .error(&format!("a field takes one word or phrase, not parentheses; write ({name}:a OR {name}:b)")))
            }
            _ => Err(self.error(&format!("a value is missing after '{name}:'; write it without a space"))),
        }
    }

    fn constraint(&mut self, field: FacetField) -> Result<Expression, QueryError> {
        let column = self.at;
        let value = if self.peek().is_some_and(is_quote) {
            self.quoted()?
        } else {
            self.run(|c| c.is_whitespace() || is_quote(c) || c == '(' || c == ')').0
        };
        let value = value.trim();
        if value.is_empty() {
            return Err(self.error_at(column, &format!("a value is missing after '{}:'", field.as_str())));
        }
        let value = field.canonical(value).map_err(|detail| self.error_at(column, &detail))?;
        Ok(Expression::Filter { field, value })
    }

    fn text_clause(&mut self, field: Option<TextField>) -> Result<Expression, QueryError> {
        let column = self.at;
        if self.peek().is_some_and(is_quote) {
            let words: Vec<String> = self.quoted()?.split_whitespace().map(str::to_owned).collect();
            if words.is_empty() {
                return Err(self.error_at(column, "there is nothing between these quotes; write words or remove them"));
            }
            if self.peek() == Some('*') {
                return Err(self.error("a phrase cannot end in '*'; put the '*' after a single word"));
            }
            return Ok(Expression::Phrase { field, words });
        }
        let (word, bare) = self.run(|c| c.is_whitespace() || is_quote(c) || c == '(' || c == ')');
        if let Some(Some('[' | '{')) = bare.first() {
            return Err(self.error_at(
                column,
                "ranges are not part of the language; dates, sizes and places are parameters of the search",
            ));
        }
        let Some(star) = bare.iter().position(|c| *c == Some('*')) else {
            if let Some(place) = bare.iter().position(|c| matches!(c, Some('~' | '^'))) {
                return Err(self.error_at(
                    column + place,
                    "similar words (~) and weights (^) are not part of the language; remove the sign, or write \\ before it",
                ));
            }
            if word.is_empty() {
                return Err(self.error_at(column, "a word is missing here; write one, or remove the sign before"));
            }
            return Ok(Expression::Word { field, word });
        };
        let prefix: String = word.chars().take(star).collect();
        if star + 1 != bare.len() {
            return Err(self.error_at(
                column + star,
                "'*' may only stand at the end of a word, as in parliament*; write \\* for the sign itself",
            ));
        }
        if prefix.chars().count() < MIN_PREFIX {
            return Err(self.error_at(
                column + star,
                &format!("at least {MIN_PREFIX} letters must stand before '*'; to list everything leave the query out"),
            ));
        }
        Ok(Expression::Prefix { field, prefix })
    }

    /// Characters up to a stop, `\` taking the next one as it is. The second value holds a character where it was not
    /// escaped, by its place in the first.
    fn run(&mut self, stop: impl Fn(char) -> bool) -> (String, Vec<Option<char>>) {
        let (mut text, mut bare) = (String::new(), Vec::new());
        while let Some(c) = self.peek() {
            if c == '\\' && self.at + 1 < self.chars.len() {
                text.push(self.chars[self.at + 1]);
                bare.push(None);
                self.at += 2;
            } else if stop(c) {
                break;
            } else {
                text.push(c);
                bare.push(Some(c));
                self.at += 1;
            }
        }
        (text, bare)
    }

    fn quoted(&mut self) -> Result<String, QueryError> {
        let opened = self.at;
        self.at += 1;
        let (text, _) = self.run(is_quote);
        if self.at_end() {
            return Err(self.error_at(opened, "this quote is never closed; add '\"'"));
        }
        self.at += 1;
        Ok(text)
    }

    /// Takes an operator that stands here, and checks that something stands on its right.
    fn take(&mut self, operator: &str) -> Result<bool, QueryError> {
        self.skip_blanks();
        if !self.next_is(operator) {
            return Ok(false);
        }
        let column = self.at;
        self.at += operator.chars().count();
        self.skip_blanks();
        if self.at_end() || self.peek() == Some(')') {
            let detail = format!("{operator} needs a word on its right; write one or remove {operator}");
            return Err(self.error_at(column, &detail));
        }
        Ok(true)
    }

    /// Whether an operator stands next, as a word of its own.
    fn next_is(&mut self, operator: &str) -> bool {
        let mut at = self.at;
        while self.chars.get(at).is_some_and(|c| c.is_whitespace()) {
            at += 1;
        }
        let length = operator.len();
        let ends = |c: &char| c.is_whitespace() || is_quote(*c) || *c == '(' || *c == ')';
        let found = self.chars.get(at..at + length).is_some_and(|found| found.iter().copied().eq(operator.chars()))
            && self.chars.get(at + length).is_none_or(ends);
        if found {
            self.at = at;
        }
        found
    }

    fn skip_blanks(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn at_end(&self) -> bool {
        self.at >= self.chars.len()
    }

    fn error(&self, detail: &str) -> QueryError {
        self.error_at(self.at, detail)
    }

    fn error_at(&self, at: usize, detail: &str) -> QueryError {
        QueryError { column: at + 1, detail: detail.to_owned() }
    }
}

enum Field {
    Text(Option<TextField>),
    Facet(FacetField),
}

/// What operands that stand beside each other mean: constraints hold, `+` is needed, `-` is excluded, the rest are
/// alternatives; where something is needed, alternatives only rank.
fn side_by_side(operands: Vec<Operand>) -> Operand {
    let (mut should, mut must, mut none) = (Vec::new(), Vec::new(), Vec::new());
    let mut constraints: Vec<Expression> = Vec::new();
    for Operand { occur, expression } in operands {
        match occur {
            Occur::MustNot => none.push(expression),
            Occur::Must if is_constraint(&expression) => constraints.push(expression),
            Occur::Must => must.push(expression),
            Occur::Should if is_constraint(&expression) => add_alternative(&mut constraints, expression),
            Occur::Should => should.push(expression),
        }
    }
    if should.is_empty() && must.is_empty() && constraints.is_empty() {
        return Operand { occur: Occur::MustNot, expression: or(none) };
    }
    let mut all = must;
    if !should.is_empty() {
        // `+a b` is `a AND (a OR b)`: the same records as `a`, and `b` stays in sight of the rank.
        let ranked: Vec<Expression> = all.first().cloned().into_iter().chain(should).collect();
        all.push(or(ranked));
    }
    all.extend(constraints);
    all.extend(none.into_iter().map(|expression| Expression::Not(Box::new(expression))));
    Operand { occur: Occur::Should, expression: and(all) }
}

/// Constraints on the same field that stand beside each other are alternatives: `country:FI country:SE`.
fn add_alternative(constraints: &mut Vec<Expression>, expression: Expression) {
    let field_of = |expression: &Expression| match expression {
        Expression::Filter { field, .. } => Some(*field),
        Expression::Or(any) => match any.first() {
            Some(Expression::Filter { field, .. })
                if any.iter().all(|each| matches!(each, Expression::Filter { field: f, .. } if f == field)) =>
            {
                Some(*field)
            }
            _ => None,
        },
        _ => None,
    };
    let field = field_of(&expression);
    match constraints.iter_mut().find(|known| field.is_some() && field_of(known) == field) {
        Some(known) => {
            let before = std::mem::replace(known, Expression::Or(Vec::new()));
            *known = or(vec![before, expression]);
        }
        None => constraints.push(expression),
    }
}

fn is_constraint(expression: &Expression) -> bool {
    match expression {
        Expression::Filter { .. } => true,
        Expression::Word { .. } | Expression::Prefix { .. } | Expression::Phrase { .. } => false,
        Expression::And(all) | Expression::Or(all) => all.iter().all(is_constraint),
        Expression::Not(inner) => is_constraint(inner),
    }
}

fn or(any: Vec<Expression>) -> Expression {
    let flat = any.into_iter().flat_map(|expression| match expression {
        Expression::Or(inner) => inner,
        other => vec![other],
    });
    single(flat.collect(), Expression::Or)
}

fn and(all: Vec<Expression>) -> Expression {
    let flat = all.into_iter().flat_map(|expression| match expression {
        Expression::And(inner) => inner,
        other => vec![other],
    });
    single(flat.collect(), Expression::And)
}

fn single(mut expressions: Vec<Expression>, many: fn(Vec<Expression>) -> Expression) -> Expression {
    match expressions.len() {
        1 => expressions.swap_remove(0),
        _ => many(expressions),
    }
}

fn unknown_field(name: &str) -> String {
    let texts = ["title", "description", "keyword", "publisher"];
    let known = texts.into_iter().chain(FacetField::ALL.iter().map(|field| field.as_str()));
    let nearest = known.min_by_key(|known| strsim::damerau_levenshtein(known, name)).unwrap_or("title");
    format!("there is no field '{name}'; did you mean '{nearest}:'? For the text itself write \\ before the colon")
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{201f}' | '\u{ab}' | '\u{bb}')
}

/// Prints the expression in the language that [`parse`] reads.
impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |field: &Option<TextField>| field.map(|field| format!("{}:", field.as_str())).unwrap_or_default();
        match self {
            Self::Word { field, word } => write!(f, "{}{}", name(field), escaped(word)),
            Self::Prefix { field, prefix } => write!(f, "{}{}*", name(field), escaped(prefix)),
            Self::Phrase { field, words } => write!(f, "{}\"{}\"", name(field), escaped_in_quotes(&words.join(" "))),
            Self::Filter { field, value } => write!(f, "{}:\"{}\"", field.as_str(), escaped_in_quotes(value)),
            Self::And(all) => joined(f, all, " AND "),
            Self::Or(any) => joined(f, any, " OR "),
            Self::Not(inner) => {
                f.write_str("NOT ")?;
                operand(f, inner)
            }
        }
    }
}

fn joined(f: &mut fmt::Formatter<'_>, expressions: &[Expression], operator: &str) -> fmt::Result {
    for (place, expression) in expressions.iter().enumerate() {
        if place > 0 {
            f.write_str(operator)?;
        }
        operand(f, expression)?;
    }
    Ok(())
}

fn operand(f: &mut fmt::Formatter<'_>, expression: &Expression) -> fmt::Result {
    match expression {
        Expression::And(_) | Expression::Or(_) => write!(f, "({expression})"),
        _ => write!(f, "{expression}"),
    }
}

fn escaped(word: &str) -> String {
    let mut text = String::with_capacity(word.len() + 2);
    for (place, c) in word.chars().enumerate() {
        let special = c.is_whitespace()
            || is_quote(c)
            || matches!(c, '(' | ')' | ':' | '*' | '\\' | '~' | '^')
            || (place == 0 && matches!(c, '+' | '-' | '[' | '{'))
            || (place == 0 && ["AND", "OR", "NOT"].contains(&word));
        if special {
            text.push('\\');
        }
        text.push(c);
    }
    text
}

fn escaped_in_quotes(text: &str) -> String {
    text.chars().flat_map(|c| (is_quote(c) || c == '\\').then_some('\\').into_iter().chain([c])).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> String {
        parse(text).map(|expression| expression.to_string()).unwrap_or_else(|error| error.to_string())
    }

    #[test]
    fn words_side_by_side_are_alternatives_and_constraints_hold() {
        assert_eq!(read("parliament speech"), "parliament OR speech");
        assert_eq!(read("parliament country:fi"), "parliament AND country:\"FI\"");
        assert_eq!(
            read("parliament country:FI country:SE access:public"),
            "parliament AND (country:\"FI\" OR country:\"SE\") AND access:\"public\""
        );
        assert_eq!(read("a b (country:FI OR country:SE)"), "(a OR b) AND (country:\"FI\" OR country:\"SE\")");
    }

    #[test]
    fn operators_bind_as_people_expect() {
        assert_eq!(read("alpha AND NOT beta"), "alpha AND NOT beta");
        assert_eq!(read("alpha -beta"), "alpha AND NOT beta");
        assert_eq!(read("a AND b OR c"), "(a AND b) OR c");
        assert_eq!(read("+a b"), "a AND (a OR b)");
        assert_eq!(read("a AND (NOT b)"), "a AND NOT b");
        assert_eq!(read("a NOT (b c)"), "a AND NOT (b OR c)");
        assert_eq!(read("a AND (b AND (c AND d))"), "a AND b AND c AND d");
        assert_eq!(read("and or not"), "and OR or OR not");
        assert_eq!(read("covid-19 \u{201e}open data\u{201c}"), "covid-19 OR \"open data\"");
        assert_eq!(read("https://doi.org/10.5281/zenodo.1"), "https\\://doi.org/10.5281/zenodo.1");
    }

    #[test]
    fn an_error_names_its_column_and_what_to_do() {
        for (text, column, part) in [
            ("", 1, "empty"),
            ("   ", 1, "empty"),
            ("speech AND", 8, "AND needs a word"),
            ("OR speech", 1, "between two words"),
            ("(speech", 1, "never closed"),
            ("speech)", 7, "closes nothing"),
            ("a \"open data", 3, "never closed"),
            ("NOT music", 1, "must not be there"),
            ("-a -b", 1, "must not be there"),
            ("a OR NOT b", 6, "negation"),
            ("pa*", 3, "at least 3 letters"),
            ("par*ment", 4, "end of a word"),
            ("*", 1, "at least 3 letters"),
            ("alpha~1", 6, "not part of the language"),
            ("[2001 TO 2004]", 1, "ranges"),
            ("titel:x", 1, "did you mean 'title:'"),
            ("license:MIT", 1, "did you mean 'licence:'"),
            ("country:Finland", 9, "ISO 3166"),
            ("personal_data:maybe", 15, "is one of"),
            ("title: x", 7, "value is missing"),
            ("title:(a b)", 7, "not parentheses"),
            ("a ()", 4, "nothing between"),
            ("a -", 3, "needs a word"),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(error.column, column, "{text}: {error}");
            assert!(error.detail.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn a_query_is_bounded_in_length_clauses_and_depth() {
        assert!(parse(&"x".repeat(MAX_LENGTH)).is_ok());
        assert!(parse(&"x".repeat(MAX_LENGTH + 1)).is_err());
        assert!(parse(&"x ".repeat(MAX_CLAUSES)).is_ok());
        assert!(parse(&"x ".repeat(MAX_CLAUSES + 1)).is_err());
        let nested = |depth| format!("{}x{}", "(".repeat(depth), ")".repeat(depth));
        assert!(parse(&nested(MAX_DEPTH)).is_ok());
        assert!(parse(&nested(MAX_DEPTH + 1)).is_err());
    }

    /// Pieces of queries, so that chance builds what people and attackers type.
    fn piece() -> impl Strategy<Value = String> {
        prop_oneof![
            Just("AND".to_owned()),
            Just("OR".to_owned()),
            Just("NOT ".to_owned()),
            Just("(".to_owned()),
            Just(")".to_owned()),
            Just("\"".to_owned()),
            Just("+".to_owned()),
            Just("-".to_owned()),
            Just("*".to_owned()),
            Just("\\".to_owned()),
            Just("title:".to_owned()),
            Just("country:FI".to_owned()),
            Just(" ".to_owned()),
            "[a-zäåöçλж]{1,6}",
            "\\PC{1,3}",
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn any_text_is_read_or_refused_at_a_column_within_it(text in "\\PC{0,60}") {
            if let Err(error) = parse(&text) {
                prop_assert!(error.column <= text.chars().count() + 1);
            }
        }

        #[test]
        fn what_is_printed_reads_back_the_same(pieces in proptest::collection::vec(piece(), 1..12)) {
            let text = pieces.join(" ");
            for text in [text, pieces.concat()] {
                if let Ok(expression) = parse(&text) {
                    let printed = expression.to_string();
                    prop_assert_eq!(parse(&printed).map_err(|error| format!("{printed}: {error}")), Ok(expression));
                }
            }
        }
    }
}
