//! The engine's laws, and 100,000 random requests against a reading of the policy that is written another way.

use super::*;
use crate::access::terms;

fn now() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

fn holder() -> Identity {
    "spiffe://fi.pleiad.example/participant/csc".parse().unwrap()
}

fn facts(country: Option<(&str, bool)>) -> Facts {
    let facts: Vec<Fact> = country
        .map(|(value, attested)| Fact { name: "country".into(), value: value.into(), attested })
        .into_iter()
        .collect();
    Facts::new(holder(), &facts).unwrap()
}

fn intended(purposes: &[&str]) -> IntendedUse {
    let purposes = purposes.iter().map(|term| format!("https://w3id.org/dpv#{term}").parse().unwrap()).collect();
    IntendedUse { action: "use".into(), purposes, statement: None }
}

fn constraint(left: &str, operator: &str, right: &[&str]) -> Constraint {
    Constraint { left: left.into(), operator: operator.into(), right: right.iter().map(|&r| r.into()).collect() }
}

fn rule(action: &str, constraints: Vec<Constraint>) -> Rule {
    Rule { action: action.into(), constraints, duties: vec![] }
}

fn policy(permissions: Vec<Rule>, prohibitions: Vec<Rule>) -> Policy {
    Policy { permissions, prohibitions, ..Policy::default() }
}

fn verdict(policy: &Policy, purposes: &[&str], country: Option<(&str, bool)>) -> Decision {
    decide(policy, &intended(purposes), &facts(country), Usage::default(), now())
}

fn refusal(decision: Decision) -> (String, String) {
    match decision {
        Decision::Refuse(reasons) => (reasons[0].code.clone(), reasons[0].pointer.clone()),
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn research_is_permitted_and_marketing_is_refused_with_the_rule() {
    let policy = policy(vec![rule("use", vec![constraint("purpose", "isA", &["dpv:ResearchAndDevelopment"])])], vec![]);
    assert!(matches!(verdict(&policy, &["AcademicResearch"], None), Decision::Allow { .. }));
    let (code, pointer) = refusal(verdict(&policy, &["Marketing"], None));
    assert_eq!((code.as_str(), pointer.as_str()), ("purpose_not_permitted", "/permissions/0/constraints/0"));
    // One purpose of two outside the rule refuses the whole.
    refusal(verdict(&policy, &["AcademicResearch", "Marketing"], None));
}

#[test]
fn a_prohibition_beats_a_permission_and_a_broad_purpose_does_not_slip_past_it() {
    let policy = policy(
        vec![rule("odrl:use", vec![])],
        vec![rule("use", vec![constraint("odrl:purpose", "eq", &["dpv:CommercialPurpose"])])],
    );
    assert!(matches!(verdict(&policy, &["AcademicResearch"], None), Decision::Allow { .. }));
    assert_eq!(refusal(verdict(&policy, &["CommercialResearch"], None)).1, "/prohibitions/0");
    assert_eq!(refusal(verdict(&policy, &["ResearchAndDevelopment"], None)).1, "/prohibitions/0");
}

#[test]
fn a_prohibited_part_of_the_action_is_left_out_and_said() {
    let policy = policy(vec![rule("use", vec![])], vec![rule("distribute", vec![])]);
    let Decision::Allow { conditions } = verdict(&policy, &["AcademicResearch"], None) else { panic!() };
    assert_eq!(conditions[0].code, "prohibited_part");
    let mut asked = intended(&["AcademicResearch"]);
    asked.action = "distribute".into();
    let decision = decide(&policy, &asked, &facts(None), Usage::default(), now());
    assert_eq!(refusal(decision).0, "prohibited");
}

#[test]
fn what_is_not_understood_denies_and_is_named_with_its_place() {
    let within = |c: Constraint| policy(vec![rule("use", vec![c])], vec![]);
    for (policy, at) in [
        (policy(vec![rule("ex:frobnicate", vec![])], vec![]), "/permissions/0/action"),
        (policy(vec![rule("use", vec![])], vec![rule("ex:frobnicate", vec![])]), "/prohibitions/0/action"),
        (within(constraint("absoluteSize", "lt", &["3"])), "/permissions/0/constraints/0/left"),
        (within(constraint("purpose", "hasPart", &["x"])), "/permissions/0/constraints/0/operator"),
        (within(constraint("purpose", "lt", &["x"])), "/permissions/0/constraints/0/operator"),
        (within(constraint("spatial", "isAnyOf", &["FI", "Atlantis"])), "/permissions/0/constraints/0/right/1"),
        (within(constraint("dateTime", "lt", &["soon"])), "/permissions/0/constraints/0/right/0"),
        (within(constraint("purpose", "isNoneOf", &[])), "/permissions/0/constraints/0/right"),
    ] {
        let (code, pointer) = refusal(verdict(&policy, &["AcademicResearch"], Some(("FI", true))));
        assert_eq!((code.as_str(), pointer.as_str()), ("term_not_understood", at));
    }
}

#[test]
fn a_declared_fact_yields_at_most_the_steward_and_a_missing_one_nothing() {
    let permits = policy(vec![rule("use", vec![constraint("spatial", "isAnyOf", &["EU"])])], vec![]);
    let prohibits = policy(vec![rule("use", vec![])], vec![rule("use", vec![constraint("spatial", "neq", &["EU"])])]);
    for policy in [permits, prohibits] {
        assert!(matches!(verdict(&policy, &["Marketing"], Some(("FI", true))), Decision::Allow { .. }));
        assert!(matches!(verdict(&policy, &["Marketing"], Some(("FI", false))), Decision::AskSteward(_)));
        refusal(verdict(&policy, &["Marketing"], Some(("US", true))));
        refusal(verdict(&policy, &["Marketing"], Some(("US", false))));
        refusal(verdict(&policy, &["Marketing"], None));
    }
}

#[test]
fn approval_sends_to_the_steward_only_what_the_rules_allow() {
    let mut policy = policy(vec![rule("use", vec![constraint("purpose", "eq", &["dpv:AcademicResearch"])])], vec![]);
    policy.approval = true;
    assert!(matches!(verdict(&policy, &["AcademicResearch"], None), Decision::AskSteward(_)));
    assert!(matches!(verdict(&policy, &["Marketing"], None), Decision::Refuse(_)));
}

#[test]
fn dates_counts_recipients_and_duties_are_read() {
    let did = holder().did();
    let mut permitted = rule(
        "use",
        vec![
            constraint("dateTime", "lt", &["2027-01-01"]),
            constraint("count", "lteq", &["1"]),
            constraint("recipient", "isAnyOf", &["did:web:de.pleiad.example:participant:other", &did]),
        ],
    );
    permitted.duties = vec![Duty { action: "odrl:attribute".into(), constraints: vec![] }];
    let policy = policy(vec![permitted], vec![]);
    let asked = intended(&["AcademicResearch"]);
    let at = |usage, now| decide(&policy, &asked, &facts(None), usage, now);
    let Decision::Allow { conditions } = at(Usage::default(), now()) else { panic!() };
    assert_eq!(conditions[0].pointer, "/permissions/0/duties/0");
    assert_eq!(refusal(at(Usage { agreements: 1 }, now())).0, "count_not_permitted");
    assert_eq!(refusal(at(Usage::default(), "2027-01-01T00:00:00Z".parse().unwrap())).0, "date_not_permitted");
}

#[test]
fn an_empty_policy_permits_nothing() {
    assert_eq!(refusal(verdict(&Policy::default(), &["AcademicResearch"], None)).0, "nothing_permitted");
}

#[test]
fn an_agreement_holds_for_the_duration_of_the_policy_and_for_none_that_is_not_understood() {
    let mut policy = policy(vec![rule("use", vec![])], vec![]);
    assert_eq!(expiry(&policy, now()).unwrap().to_string(), "2027-11-24T12:00:00Z");
    policy.duration = Some("P6M".into());
    assert_eq!(expiry(&policy, now()).unwrap().to_string(), "2027-05-24T12:00:00Z");
    for wrong in ["half a year", "-P1D", "PT0S"] {
        policy.duration = Some(wrong.into());
        let (code, pointer) = refusal(verdict(&policy, &["AcademicResearch"], None));
        assert_eq!((code.as_str(), pointer.as_str()), ("term_not_understood", "/duration"), "{wrong}");
    }
}

/// A small generator with a seed, so that a failure is found again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides as u64) as usize
    }

    fn pick<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.roll(of.len())]
    }
}

const ASKED: [&str; 8] = [
    "ResearchAndDevelopment",
    "AcademicResearch",
    "CommercialResearch",
    "NonCommercialPurpose",
    "Marketing",
    "TargetedAdvertising",
    "PublicBenefit",
    "Purpose",
];

fn random_constraint(dice: &mut Dice) -> Constraint {
    let left = dice.pick(&["purpose", "purpose", "spatial", "sector", "dateTime", "count", "language"]);
    let operators: &[&str] = match left {
        "dateTime" | "count" => &["lt", "lteq", "gt", "gteq", "eq", "neq"],
        "purpose" | "spatial" => &["eq", "neq", "isA", "isAnyOf", "isNoneOf", "isAllOf", "hasPart"],
        _ => &["eq", "neq", "isAnyOf", "isNoneOf", "isAllOf"],
    };
    let operator = if dice.roll(60) == 0 { "approx" } else { dice.pick(operators) };
    let several = if operator.starts_with("is") && operator != "isA" { 1 + dice.roll(3) } else { 1 };
    let right = (0..several)
        .map(|_| match left {
            "purpose" => format!("dpv:{}", dice.pick(&ASKED)),
            "spatial" => dice.pick(&["EU", "FI", "DE", "TR", "EEA", "Mars"]).to_owned(),
            "dateTime" => dice.pick(&["2026-01-01", "2026-11-24T12:00:00Z", "2027-01-01"]).to_owned(),
            "count" => dice.roll(4).to_string(),
            _ => dice.pick(&["health", "energy"]).to_owned(),
        })
        .collect();
    Constraint { left: left.into(), operator: operator.into(), right }
}

fn random_rule(dice: &mut Dice, most: usize) -> Rule {
    let action = dice.pick(&["use", "use", "use", "reproduce", "extract", "derive", "transfer", "odd"]);
    let constraints = (0..dice.roll(most + 1)).map(|_| random_constraint(dice)).collect();
    rule(action, constraints)
}

/// The reference: a request may turn out to be any world (a narrower purpose, any country or sector where no fact says
/// which). Permitted is what some permission permits in every world and no prohibition prohibits in any.
mod reference {
    use super::*;

    pub struct World<'a> {
        pub purpose: &'a str,
        pub country: &'a str,
        pub sector: &'a str,
        pub count: u64,
    }

    pub fn narrower(of: &str) -> Vec<&'static str> {
        terms::every_purpose().into_iter().filter(|c| terms::purpose_within(c, of) == Truth::Yes).collect()
    }

    pub fn understood(rule: &Rule) -> bool {
        rule.action != "odd"
            && rule.constraints.iter().all(|c| {
                c.left != "language"
                    && c.operator != "approx"
                    && c.operator != "hasPart"
                    && !c.right.iter().any(|value| value == "Mars")
            })
    }

    pub fn includes(outer: &str, inner: &str) -> bool {
        outer == inner
            || (outer == "use" && ["reproduce", "extract", "derive"].contains(&inner))
            || (outer == "reproduce" && inner == "extract")
    }

    pub fn holds(constraint: &Constraint, world: &World, below: &dyn Fn(&str, &str) -> bool) -> bool {
        let is = |value: &String| match constraint.left.as_str() {
            "purpose" => below(world.purpose, value),
            "spatial" => match value.as_str() {
                "EU" => ["FI", "DE"].contains(&world.country),
                "EEA" => ["FI", "DE", "NO"].contains(&world.country),
                country => country == world.country,
            },
            "sector" => world.sector == value,
            _ => unreachable!(),
        };
        let order = match constraint.left.as_str() {
            "count" => Some(world.count.cmp(&constraint.right[0].parse().unwrap())),
            "dateTime" => Some(now().cmp(&moment(&constraint.right[0]).unwrap())),
            _ => None,
        };
        match (constraint.operator.as_str(), order) {
            ("lt", Some(order)) => order.is_lt(),
            ("lteq", Some(order)) => order.is_le(),
            ("gt", Some(order)) => order.is_gt(),
            ("gteq", Some(order)) => order.is_ge(),
            ("eq", Some(order)) => order.is_eq(),
            ("neq", Some(order)) => order.is_ne(),
            ("neq" | "isNoneOf", None) => !constraint.right.iter().any(is),
            ("isAllOf", None) => constraint.right.iter().all(is),
            _ => constraint.right.iter().any(is),
        }
    }
}

#[test]
fn a_hundred_thousand_random_requests_are_never_judged_more_generously_than_by_the_reference() {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let narrower: BTreeMap<&str, Vec<&str>> = ASKED.iter().map(|&asked| (asked, reference::narrower(asked))).collect();
    let below = |purpose: &str, value: &str| narrower[value.trim_start_matches("dpv:")].contains(&purpose);
    let (mut allowed, mut stricter) = (0, 0);
    for round in 0..100_000 {
        let policy = policy(
            (0..dice.roll(3)).map(|_| random_rule(&mut dice, 2)).collect(),
            (0..dice.roll(3)).map(|_| random_rule(&mut dice, 2)).collect(),
        );
        let purpose = dice.pick(&ASKED);
        let action = dice.pick(&["use", "reproduce", "derive"]);
        let usage = Usage { agreements: dice.roll(3) as u64 };
        let mut known = Vec::new();
        if dice.roll(3) > 0 {
            let value = dice.pick(&["FI", "DE", "TR", "NO"]).to_owned();
            known.push(Fact { name: "country".into(), value, attested: dice.roll(3) > 0 });
        }
        if dice.roll(2) > 0 {
            let value = dice.pick(&["health", "energy"]).to_owned();
            known.push(Fact { name: "sector".into(), value, attested: dice.roll(3) > 0 });
        }
        let mut asked = intended(&[purpose]);
        asked.action = action.into();
        let decide_with = |policy: &Policy, known: &[Fact]| {
            decide(policy, &asked, &Facts::new(holder(), known).unwrap(), usage, now())
        };
        let decision = decide_with(&policy, &known);
        let is_allowed = matches!(decision, Decision::Allow { .. });

        // A declared fact is worth nothing to the reference: an Allow must stand without it.
        let attested = |name: &str| known.iter().find(|f| f.attested && f.name == name).map(|f| f.value.as_str());
        let countries = attested("country").map_or(vec!["FI", "DE", "TR", "NO", "US"], |c| vec![c]);
        let sectors = attested("sector").map_or(vec!["health", "energy", "other"], |s| vec![s]);
        let worlds: Vec<reference::World> = narrower[purpose]
            .iter()
            .flat_map(|&purpose| countries.iter().map(move |&country| (purpose, country)))
            .flat_map(|(purpose, country)| sectors.iter().map(move |&sector| (purpose, country, sector)))
            .map(|(purpose, country, sector)| reference::World {
                purpose,
                country,
                sector,
                count: usage.agreements + 1,
            })
            .collect();
        let holds_in =
            |rule: &Rule, world: &reference::World| rule.constraints.iter().all(|c| reference::holds(c, world, &below));
        let permitted = policy.permissions.iter().any(|rule| {
            reference::understood(rule)
                && reference::includes(&rule.action, action)
                && worlds.iter().all(|world| holds_in(rule, world))
        });
        let prohibited = policy.prohibitions.iter().any(|rule| {
            rule.action == "odd"
                || (reference::includes(&rule.action, action)
                    && (!reference::understood(rule) || worlds.iter().any(|world| holds_in(rule, world))))
        });
        let reference_allows = permitted && !prohibited;
        assert!(!is_allowed || reference_allows, "false permit in round {round}: {policy:?} {asked:?} {known:?}");
        allowed += usize::from(is_allowed);
        if reference_allows && !is_allowed {
            // Only a prohibition that contradicts itself, and so prohibits nothing, is beyond the engine.
            let may_contradict = |rule: &Rule| {
                rule.constraints.len() > 1
                    || rule.constraints.iter().any(|c| c.operator == "isAllOf" && c.right.len() > 1)
            };
            assert!(policy.prohibitions.iter().any(may_contradict), "{policy:?} {asked:?} {known:?}");
            stricter += 1;
        }

        // The laws: a prohibition more never allows, a fact less never allows, a declared fact never allows alone.
        if !is_allowed {
            let mut more = policy.clone();
            more.prohibitions.push(random_rule(&mut dice, 1));
            assert!(!matches!(decide_with(&more, &known), Decision::Allow { .. }), "round {round}");
            for gone in 0..known.len() {
                let mut fewer = known.clone();
                fewer.remove(gone);
                assert!(!matches!(decide_with(&policy, &fewer), Decision::Allow { .. }), "round {round}");
            }
        }
    }
    assert!(allowed > 5_000 && stricter < 500, "allowed {allowed}, stricter than the reference {stricter}");
}
