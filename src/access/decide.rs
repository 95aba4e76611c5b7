//! Whether a request is within a dataset's policy: a pure step with its laws, and it fails closed.
//!
//! [`decide`] judges each purpose asked for on its own and takes the worst verdict. A permission covers a purpose when
//! its action includes the one asked for and every constraint surely holds. A prohibition refuses it unless some
//! constraint surely does not hold; prohibitions win. A term that is not understood takes its permission away, or lets
//! its prohibition refuse, and the reason names the term and where it stands. What rests on a fact that is only declared
//! goes to the steward. The laws, tested below: a prohibition more never allows, a fact less never allows, and no
//! decision is more generous than a reading of the policy over every world that the request may turn out to be.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::terms::{Action, DutyTime, Operand, Operator, Place, Truth, duty_time, purpose_within};
use crate::domain::ids::{Identity, Iri};
use crate::domain::negotiation::{Fact, Reason};
use crate::domain::policy::{Constraint, Duty, IntendedUse, Policy, Rule};

/// What the rules say to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// The rules allow it; the holder must keep to the conditions.
    Allow {
        /// What the holder must do or must leave.
        conditions: Vec<Reason>,
    },
    /// The rules would allow it, but a person has to look first.
    AskSteward(Vec<Reason>),
    /// Some rule refuses it, or none permits it.
    Refuse(Vec<Reason>),
}

/// What is known about the holder: its identity, which the certificate proves, and named facts, each once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    holder: Identity,
    named: BTreeMap<String, Fact>,
}

/// Two facts of the same name: nobody can tell which is meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the fact {0:?} is stated twice; state each fact once")]
pub struct FactStatedTwice(pub String);

impl Facts {
    /// The facts about a holder.
    pub fn new(holder: Identity, facts: &[Fact]) -> Result<Self, FactStatedTwice> {
        let mut named = BTreeMap::new();
        for fact in facts {
            if named.insert(fact.name.clone(), fact.clone()).is_some() {
                return Err(FactStatedTwice(fact.name.clone()));
            }
        }
        Ok(Self { holder, named })
    }
}

/// What happened before between this holder and this dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Agreements concluded so far.
    pub agreements: u64,
}

/// Judges a request by a policy. Pure: the same input gives the same decision.
pub fn decide(policy: &Policy, intended: &IntendedUse, facts: &Facts, usage: Usage, now: Timestamp) -> Decision {
    let Some(action) = Action::read(&intended.action) else {
        let detail = format!("the action {:?} is not understood; ask for `use` or a part of it", intended.action);
        return Decision::Refuse(vec![reason("action_not_understood", "", detail)]);
    };
    if intended.purposes.is_empty() {
        return Decision::Refuse(vec![reason("purpose_missing", "", "name at least one purpose".to_owned())]);
    }
    let mut verdict = Verdict::default();
    if let Err(reason) = expiry(policy, now) {
        verdict.refuse(reason);
    }
    for purpose in &intended.purposes {
        let case = Case { action, purpose, facts, usage, now };
        verdict.take(case.prohibitions(policy));
        verdict.take(case.permissions(policy));
    }
    if policy.approval {
        verdict.doubt(reason("approval_required", "/approval", "the owner decides each request".to_owned()));
    }
    verdict.decision()
}

/// Until when an agreement under this policy holds that is concluded now: its duration, or one year.
pub fn expiry(policy: &Policy, now: Timestamp) -> Result<Timestamp, Reason> {
    let duration = policy.duration.as_deref().unwrap_or("P1Y");
    let end = duration.parse::<jiff::Span>().ok().and_then(|span| {
        let end = now.to_zoned(jiff::tz::TimeZone::UTC).checked_add(span).ok()?;
        (end.timestamp() > now).then(|| end.timestamp())
    });
    end.ok_or_else(|| not_understood("/duration", duration))
}

/// What speaks against a request, what makes it doubtful, what it is tied to: each once, in the order found.
#[derive(Debug, Default)]
struct Verdict {
    refusals: Vec<Reason>,
    doubts: Vec<Reason>,
    conditions: Vec<Reason>,
}

impl Verdict {
    fn refuse(&mut self, reason: Reason) {
        push_once(&mut self.refusals, reason);
    }

    fn doubt(&mut self, reason: Reason) {
        push_once(&mut self.doubts, reason);
    }

    fn tie(&mut self, reason: Reason) {
        push_once(&mut self.conditions, reason);
    }

    fn take(&mut self, other: Self) {
        other.refusals.into_iter().for_each(|reason| self.refuse(reason));
        other.doubts.into_iter().for_each(|reason| self.doubt(reason));
        other.conditions.into_iter().for_each(|reason| self.tie(reason));
    }

    fn decision(self) -> Decision {
        if !self.refusals.is_empty() {
            Decision::Refuse(self.refusals)
        } else if !self.doubts.is_empty() {
            Decision::AskSteward(self.doubts)
        } else {
            Decision::Allow { conditions: self.conditions }
        }
    }
}

fn push_once(reasons: &mut Vec<Reason>, reason: Reason) {
    if !reasons.contains(&reason) {
        reasons.push(reason);
    }
}

fn reason(code: &str, pointer: &str, detail: String) -> Reason {
    Reason { code: code.to_owned(), pointer: pointer.to_owned(), detail }
}

fn not_understood(pointer: &str, term: &str) -> Reason {
    reason(
        "term_not_understood",
        pointer,
        format!("{term:?} is not understood here, and what is not understood denies"),
    )
}

/// One request for one purpose, with everything it is judged by.
struct Case<'a> {
    action: Action,
    purpose: &'a Iri,
    facts: &'a Facts,
    usage: Usage,
    now: Timestamp,
}

/// What a constraint comes to.
struct Finding {
    truth: Truth,
    /// Whether that rests on a fact which is only declared.
    declared: bool,
    /// What to say where it does not surely hold.
    because: Reason,
}

impl Case<'_> {
    /// What the prohibitions say. One refuses unless a constraint of it surely does not hold.
    fn prohibitions(&self, policy: &Policy) -> Verdict {
        let mut verdict = Verdict::default();
        for (index, rule) in policy.prohibitions.iter().enumerate() {
            let pointer = format!("/prohibitions/{index}");
            let Some(prohibited) = Action::read(&rule.action) else {
                verdict.refuse(not_understood(&format!("{pointer}/action"), &rule.action));
                continue;
            };
            if self.action.is_within(prohibited) {
                self.prohibition(rule, &pointer, &mut verdict);
            } else if prohibited.is_within(self.action) {
                let detail = format!("`{}` is not part of what is permitted", prohibited.name());
                verdict.tie(reason("prohibited_part", &pointer, detail));
            }
        }
        verdict
    }

    fn prohibition(&self, rule: &Rule, pointer: &str, verdict: &mut Verdict) {
        if let Some(duty) = rule.duties.first() {
            return verdict.refuse(not_understood(&format!("{pointer}/duties/0"), &duty.action));
        }
        let mut cleared_by_declared = None;
        let mut cleared = false;
        for (index, constraint) in rule.constraints.iter().enumerate() {
            match self.constraint(constraint, &format!("{pointer}/constraints/{index}")) {
                Err(reason) => return verdict.refuse(reason),
                Ok(Finding { truth: Truth::No, declared: false, .. }) => cleared = true,
                Ok(Finding { truth: Truth::No, because, .. }) => cleared_by_declared = Some(because.pointer),
                Ok(_) => {}
            }
        }
        match (cleared, cleared_by_declared) {
            (true, _) => {}
            (false, Some(at)) => verdict.doubt(only_declared(&at)),
            (false, None) => {
                let detail = format!("`{}` is prohibited for {}", rule.action, self.purpose);
                verdict.refuse(reason("prohibited", pointer, detail));
            }
        }
    }

    /// What the permissions say: the best of them counts.
    fn permissions(&self, policy: &Policy) -> Verdict {
        let mut refusals = Verdict::default();
        let mut doubtful: Option<Verdict> = None;
        for (index, rule) in policy.permissions.iter().enumerate() {
            let verdict = self.permission(rule, &format!("/permissions/{index}"));
            if !verdict.refusals.is_empty() {
                verdict.refusals.into_iter().for_each(|reason| refusals.refuse(reason));
            } else if verdict.doubts.is_empty() {
                return verdict;
            } else {
                doubtful.get_or_insert(verdict);
            }
        }
        if policy.permissions.is_empty() {
            refusals.refuse(reason("nothing_permitted", "/permissions", "the policy permits nothing".to_owned()));
        }
        doubtful.unwrap_or(refusals)
    }

    fn permission(&self, rule: &Rule, pointer: &str) -> Verdict {
        let mut verdict = Verdict::default();
        match Action::read(&rule.action) {
            None => verdict.refuse(not_understood(&format!("{pointer}/action"), &rule.action)),
            Some(permitted) if !self.action.is_within(permitted) => {
                let detail = format!("`{}` is permitted, `{}` was asked for", permitted.name(), self.action.name());
                verdict.refuse(reason("action_not_permitted", &format!("{pointer}/action"), detail));
            }
            Some(_) => {}
        }
        for (index, constraint) in rule.constraints.iter().enumerate() {
            match self.constraint(constraint, &format!("{pointer}/constraints/{index}")) {
                Err(reason) => verdict.refuse(reason),
                Ok(Finding { truth: Truth::Yes, declared: false, .. }) => {}
                Ok(Finding { truth: Truth::Yes, because, .. }) => verdict.doubt(only_declared(&because.pointer)),
                Ok(Finding { because, .. }) => verdict.refuse(because),
            }
        }
        for (index, duty) in rule.duties.iter().enumerate() {
            self.duty(duty, &format!("{pointer}/duties/{index}"), &mut verdict);
        }
        verdict
    }

    fn duty(&self, duty: &Duty, pointer: &str, verdict: &mut Verdict) {
        let mut detail = format!("the holder must {}", duty.action);
        for (index, constraint) in duty.constraints.iter().enumerate() {
            // Whether it holds shows only later; that its words are understood has to be sure now.
            if let Err(reason) = self.constraint(constraint, &format!("{pointer}/constraints/{index}")) {
                return verdict.refuse(reason);
            }
            detail += &format!(", {} {} {}", constraint.left, constraint.operator, constraint.right.join(", "));
        }
        match duty_time(&duty.action) {
            None => verdict.refuse(not_understood(&format!("{pointer}/action"), &duty.action)),
            Some(DutyTime::After) => verdict.tie(reason("duty", pointer, detail)),
            Some(DutyTime::Before) => verdict.doubt(reason("duty_before_release", pointer, detail + " first")),
        }
    }

    /// What a constraint comes to, or which of its terms is not understood.
    fn constraint(&self, constraint: &Constraint, pointer: &str) -> Result<Finding, Reason> {
        let Constraint { left, operator, right } = constraint;
        let operand = Operand::read(left).ok_or_else(|| not_understood(&format!("{pointer}/left"), left))?;
        let operator_refused = || not_understood(&format!("{pointer}/operator"), operator);
        let operator = Operator::read(operator).ok_or_else(operator_refused)?;
        if (operator.compares() && !operand.is_ordered()) || (operator == Operator::IsA && !operand.is_hierarchical()) {
            return Err(operator_refused());
        }
        if right.is_empty() || (right.len() > 1 && !operator.takes_many()) {
            let detail =
                format!("{} takes {}", constraint.operator, if right.is_empty() { "a value" } else { "one value" });
            return Err(reason("term_not_understood", &format!("{pointer}/right"), detail));
        }
        let fact = match operand {
            Operand::Spatial => self.facts.named.get("country"),
            Operand::Fact(name) => self.facts.named.get(name),
            _ => None,
        };
        let mut truths = Vec::with_capacity(right.len());
        for (index, value) in right.iter().enumerate() {
            let truth = self
                .compare(operand, operator, value, fact)
                .ok_or_else(|| not_understood(&format!("{pointer}/right/{index}"), value))?;
            truths.push(truth);
        }
        let any = truths.iter().copied().max().unwrap_or(Truth::Unclear);
        let all = truths.iter().copied().min().unwrap_or(Truth::Unclear);
        let truth = match operator {
            Operator::IsAllOf => all,
            Operator::Neq | Operator::IsNoneOf => any.not(),
            _ => any,
        };
        let declared = fact.is_some_and(|fact| !fact.attested);
        Ok(Finding { truth, declared, because: self.because(constraint, operand, fact, pointer) })
    }

    /// Whether the value on the left is, or compares as asked to, the one on the right; `None` where that value is not
    /// understood.
    fn compare(&self, operand: Operand, operator: Operator, right: &str, fact: Option<&Fact>) -> Option<Truth> {
        Some(match operand {
            Operand::Purpose => purpose_within(self.purpose.as_str(), right),
            Operand::Spatial => {
                let place = Place::read(right)?;
                fact.map_or(Truth::Unclear, |fact| place.contains(&fact.value).into())
            }
            Operand::Recipient => {
                let named = right.parse().or_else(|_| Identity::from_did(right)).ok()?;
                (self.facts.holder == named).into()
            }
            Operand::DateTime => ordered(operator, &self.now, &moment(right)?).into(),
            Operand::Count => ordered(operator, &self.usage.agreements.saturating_add(1), &right.parse().ok()?).into(),
            Operand::Fact(_) => fact.map_or(Truth::Unclear, |fact| (fact.value == right).into()),
        })
    }

    fn because(&self, constraint: &Constraint, operand: Operand, fact: Option<&Fact>, pointer: &str) -> Reason {
        let Constraint { left, operator, right } = constraint;
        let rule = format!("{left} {operator} {}", right.join(", "));
        let found = match operand {
            Operand::Purpose => self.purpose.to_string(),
            Operand::Recipient => self.facts.holder.to_string(),
            Operand::DateTime => self.now.to_string(),
            Operand::Count => format!("agreement number {}", self.usage.agreements.saturating_add(1)),
            Operand::Spatial | Operand::Fact(_) => match fact {
                Some(fact) => fact.value.clone(),
                None => {
                    let detail = format!("the rule asks for {rule}, and the home node states no such fact");
                    return reason(&format!("{}_not_stated", operand.word()), pointer, detail);
                }
            },
        };
        let detail = format!("the rule asks for {rule}; the request has {found}");
        reason(&format!("{}_not_permitted", operand.word()), pointer, detail)
    }
}

fn only_declared(pointer: &str) -> Reason {
    let detail = "the rule holds by a fact that the holder declares and its home node does not attest".to_owned();
    reason("fact_only_declared", pointer, detail)
}

fn ordered<T: Ord>(operator: Operator, left: &T, right: &T) -> bool {
    match operator {
        Operator::Lt => left < right,
        Operator::Lteq => left <= right,
        Operator::Gt => left > right,
        Operator::Gteq => left >= right,
        _ => left == right,
    }
}

/// A moment as a rule writes it: a time stamp, or a day, which begins at midnight UTC.
fn moment(text: &str) -> Option<Timestamp> {
    text.parse().ok().or_else(|| {
        let day: jiff::civil::Date = text.parse().ok()?;
        day.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|midnight| midnight.timestamp())
    })
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
