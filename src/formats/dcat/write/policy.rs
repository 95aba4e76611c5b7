//! The policy as an ODRL offer.
//!
//! A term that ODRL, TDMRep or we define becomes its IRI, however the record spells it (`use`, `odrl:use`); a term that
//! is an IRI stays one; any other stands as a text, so that the engine of another node sees what it does not understand.

use oxrdf::{Literal, NamedNode, Term};

use super::Writer;
use super::graph::{Graph, Part};
use super::names::{ODRL, OWN_TERMS, TDM, XSD};
use crate::domain::bounds;
use crate::domain::policy::{Constraint, Rule};
use crate::formats::dcat::odrl;

impl Writer<'_> {
    pub(super) fn policy(&mut self) {
        let Some(policy) = &self.dataset.policy else { return };
        let (me, node) = (self.me.0.clone(), self.me.part("policy"));
        let assigner = self.record.owner.to_string();
        let g = &mut self.graph;
        g.add(&me, ODRL.at("hasPolicy"), node.clone());
        g.class(&node, ODRL.at("Policy"));
        g.class(&node, ODRL.at("Offer"));
        g.add(&node, ODRL.at("uid"), node.clone());
        if policy.approval {
            g.typed(&node, OWN_TERMS.at("approval"), true, "boolean");
        }
        if let Some(duration) = &policy.duration {
            g.typed(&node, OWN_TERMS.at("duration"), duration, "duration");
        }
        for (property, class, rules) in
            [("permission", "Permission", &policy.permissions), ("prohibition", "Prohibition", &policy.prohibitions)]
        {
            for (number, rule) in rules.iter().enumerate() {
                let part = Part(Part(node.clone()).nth(property, number));
                g.add(&node, ODRL.at(property), part.0.clone());
                g.class(&part.0, ODRL.at(class));
                g.position(&part.0, number);
                g.add(&part.0, ODRL.at("target"), me.clone());
                g.link(&part.0, ODRL.at("assigner"), &assigner);
                g.rule(&part, rule);
            }
        }
    }
}

impl Graph {
    fn rule(&mut self, part: &Part, rule: &Rule) {
        self.add(&part.0, ODRL.at("action"), odrl_term(&rule.action));
        self.constraints(part, &rule.constraints);
        for (number, duty) in rule.duties.iter().enumerate() {
            let own = Part(part.nth("duty", number));
            self.add(&part.0, ODRL.at("duty"), own.0.clone());
            self.class(&own.0, ODRL.at("Duty"));
            self.position(&own.0, number);
            self.add(&own.0, ODRL.at("action"), odrl_term(&duty.action));
            self.constraints(&own, &duty.constraints);
        }
    }

    fn constraints(&mut self, of: &Part, constraints: &[Constraint]) {
        for (number, constraint) in constraints.iter().enumerate() {
            let node = of.nth("constraint", number);
            self.add(&of.0, ODRL.at("constraint"), node.clone());
            self.class(&node, ODRL.at("Constraint"));
            self.position(&node, number);
            self.add(&node, ODRL.at("leftOperand"), odrl_term(&constraint.left));
            self.add(&node, ODRL.at("operator"), odrl_term(&constraint.operator));
            for right in &constraint.right {
                self.add(&node, ODRL.at("rightOperand"), operand(right));
            }
        }
    }
}

/// A term of a policy.
fn odrl_term(text: &str) -> Term {
    match odrl::namespace(text) {
        Some((odrl::Namespace::Odrl, name)) => ODRL.at(name).into(),
        Some((odrl::Namespace::TdmRep, name)) => TDM.at(name).into(),
        Some((odrl::Namespace::Own, name)) => OWN_TERMS.at(name).into(),
        None => iri_or_text(text),
    }
}

/// A value to compare with.
fn operand(text: &str) -> Term {
    if bounds::parse_day(text).is_some() {
        return Literal::new_typed_literal(text, XSD.at("date")).into();
    }
    iri_or_text(text)
}

fn iri_or_text(text: &str) -> Term {
    let is_iri = ["http://", "https://", "urn:", "spiffe://", "did:"].iter().any(|start| text.starts_with(start));
    match NamedNode::new(text) {
        Ok(node) if is_iri => node.into(),
        _ => Literal::new_simple_literal(text).into(),
    }
}
