//! The terms of a policy that the engine understands: actions, operands, operators, purposes and places.
//!
//! A term may be spelled short (`use`), with its usual prefix (`odrl:use`) or as its full IRI. Everything that is not in
//! these tables is not understood, and what is not understood denies; so a term is added here or it does not exist.

use std::collections::HashMap;
use std::sync::LazyLock;

/// The namespace of ODRL 2.2.
const ODRL: [&str; 2] = ["odrl:", "http://www.w3.org/ns/odrl/2/"];
/// The namespace of the Data Privacy Vocabulary 2.3.
const DPV: [&str; 3] = ["https://w3id.org/dpv#", "dpv:", "http://www.w3.org/ns/dpv#"];
/// The namespace of TDMRep.
const TDM: [&str; 2] = ["tdm:", "http://www.w3.org/ns/tdmrep#"];
/// The EU authority table of countries, which spells them in three letters.
const EU_COUNTRY: &str = "http://publications.europa.eu/resource/authority/country/";

/// What is known of a statement. `Unclear` is a value of its own: it never permits, and it never clears a prohibition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Truth {
    No,
    Unclear,
    Yes,
}

impl Truth {
    /// Yes where this is no, and the other way round.
    pub(super) fn not(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::Unclear => Self::Unclear,
            Self::Yes => Self::No,
        }
    }
}

impl From<bool> for Truth {
    fn from(known: bool) -> Self {
        if known { Self::Yes } else { Self::No }
    }
}

/// The left operand of a constraint: which property of the request it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operand {
    /// The purposes asked for.
    Purpose,
    /// The holder's country, as its home node attests it.
    Spatial,
    /// The holder itself.
    Recipient,
    /// The present moment.
    DateTime,
    /// Which agreement on this dataset it would be for this holder: 1 for the first.
    Count,
    /// A named fact about the holder.
    Fact(&'static str),
}

impl Operand {
    pub(super) fn read(text: &str) -> Option<Self> {
        Some(match local(text, &ODRL) {
            "purpose" => Self::Purpose,
            "spatial" => Self::Spatial,
            "recipient" => Self::Recipient,
            "dateTime" => Self::DateTime,
            "count" => Self::Count,
            "industry" | "sector" => Self::Fact("sector"),
            "secure_environment" => Self::Fact("secure_environment"),
            _ => return None,
        })
    }

    /// Whether values of it have an order, so that `lt` and its kin mean something.
    pub(super) fn is_ordered(self) -> bool {
        matches!(self, Self::DateTime | Self::Count)
    }

    /// Whether values of it lie within one another, so that `isA` means something.
    pub(super) fn is_hierarchical(self) -> bool {
        matches!(self, Self::Purpose | Self::Spatial)
    }

    /// The word for it in the code of a reason: `purpose_not_permitted`.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Purpose => "purpose",
            Self::Spatial => "spatial",
            Self::Recipient => "recipient",
            Self::DateTime => "date",
            Self::Count => "count",
            Self::Fact(name) => name,
        }
    }
}

/// How a constraint compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Eq,
    Neq,
    Lt,
    Lteq,
    Gt,
    Gteq,
    IsA,
    IsAnyOf,
    IsAllOf,
    IsNoneOf,
}

impl Operator {
    pub(super) fn read(text: &str) -> Option<Self> {
        Some(match local(text, &ODRL) {
            "eq" => Self::Eq,
            "neq" => Self::Neq,
            "lt" => Self::Lt,
            "lteq" => Self::Lteq,
            "gt" => Self::Gt,
            "gteq" => Self::Gteq,
            "isA" => Self::IsA,
            "isAnyOf" => Self::IsAnyOf,
            "isAllOf" => Self::IsAllOf,
            "isNoneOf" => Self::IsNoneOf,
            _ => return None,
        })
    }

    /// Whether it takes a list; the others take exactly one value.
    pub(super) fn takes_many(self) -> bool {
        matches!(self, Self::IsAnyOf | Self::IsAllOf | Self::IsNoneOf)
    }

    /// Whether it asks for an order.
    pub(super) fn compares(self) -> bool {
        matches!(self, Self::Lt | Self::Lteq | Self::Gt | Self::Gteq)
    }
}

/// An action by its place in the ODRL tree: an index into [`ACTIONS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Action(usize);

impl Action {
    pub(super) fn read(text: &str) -> Option<Self> {
        let name = match local(text, &TDM) {
            "mine" => "mine",
            _ => local(text, &ODRL),
        };
        ACTIONS.iter().position(|(known, _)| *known == name).map(Self)
    }

    /// Whether this action is the other one or a part of it: `reproduce` is within `use`.
    pub(super) fn is_within(self, other: Self) -> bool {
        let mut at = self.0;
        loop {
            if at == other.0 {
                return true;
            }
            match ACTIONS.iter().position(|(name, _)| *name == ACTIONS[at].1) {
                Some(parent) => at = parent,
                None => return false,
            }
        }
    }

    pub(super) fn name(self) -> &'static str {
        ACTIONS[self.0].0
    }
}

/// The actions of ODRL 2.2 with the action that includes each (`includedIn`), and two of ours: `train` (a model), and
/// TDMRep's `mine`, both kinds of use.
#[rustfmt::skip]
const ACTIONS: &[(&str, &str)] = &[
    ("use", ""), ("transfer", ""), ("give", "transfer"), ("sell", "transfer"), ("grantUse", "use"),
    ("aggregate", "use"), ("annotate", "use"), ("anonymize", "use"), ("archive", "use"), ("concurrentUse", "use"),
    ("derive", "use"), ("digitize", "use"), ("distribute", "use"), ("execute", "use"), ("include", "use"),
    ("index", "use"), ("install", "use"), ("modify", "use"), ("move", "use"), ("play", "use"), ("display", "play"),
    ("present", "use"), ("print", "use"), ("read", "use"), ("reproduce", "use"), ("extract", "reproduce"),
    ("stream", "use"), ("synchronize", "use"), ("textToSpeech", "use"), ("transform", "use"), ("translate", "use"),
    ("watermark", "use"), ("commercialize", "use"), ("share", "use"), ("train", "use"), ("mine", "use"),
];

/// When a duty has to be met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DutyTime {
    /// By the holder once it has the bytes: a condition of the agreement.
    After,
    /// Before anything is released, which no machine here can see: a steward looks.
    Before,
}

/// When the duty to do this has to be met, where it is understood.
pub(super) fn duty_time(text: &str) -> Option<DutyTime> {
    Some(match local(text, &ODRL) {
        "attribute" | "delete" | "inform" | "anonymize" | "include" | "shareAlike" | "acceptTracking"
        | "attachPolicy" | "attachSource" | "uninstall" | "watermark" | "nextPolicy" => DutyTime::After,
        "compensate" | "pay" | "obtainConsent" | "reviewPolicy" | "ensureExclusivity" => DutyTime::Before,
        _ => return None,
    })
}

/// Whether a purpose lies within another. A broader one covers a narrower one; a broad one asked for may turn out to be
/// any narrower one, so against a narrow rule it is unclear.
pub(super) fn purpose_within(asked: &str, rule: &str) -> Truth {
    let (asked, rule) = (local(asked, &DPV), local(rule, &DPV));
    if asked == rule || is_broader_or_same(rule, asked) {
        return Truth::Yes;
    }
    let known = |term: &str| PURPOSES.contains_key(term);
    if known(asked)
        && known(rule)
        && !PURPOSES.keys().any(|c| is_broader_or_same(asked, c) && is_broader_or_same(rule, c))
    {
        Truth::No
    } else {
        Truth::Unclear
    }
}

fn is_broader_or_same(broad: &str, narrow: &str) -> bool {
    broad == narrow
        || PURPOSES.get(narrow).is_some_and(|parents| parents.iter().any(|parent| is_broader_or_same(broad, parent)))
}

/// A place that a rule names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place<'a> {
    /// One country, in two letters.
    Country(&'a str),
    /// The member states of the European Union.
    Eu,
    /// The European Economic Area.
    Eea,
}

impl<'a> Place<'a> {
    pub(super) fn read(text: &'a str) -> Option<Self> {
        match text {
            "EU" => return Some(Self::Eu),
            "EEA" => return Some(Self::Eea),
            _ => {}
        }
        if let Some(three) = text.strip_prefix(EU_COUNTRY) {
            return THREE_LETTERS.split(' ').find_map(|pair| {
                let (long, short) = pair.split_once(':')?;
                (long == three).then_some(Self::Country(short))
            });
        }
        text.parse::<crate::domain::ids::Country>().is_ok().then_some(Self::Country(text))
    }

    pub(super) fn contains(self, country: &str) -> bool {
        match self {
            Self::Country(one) => one == country,
            Self::Eu => EU.split(' ').any(|member| member == country),
            Self::Eea => EU.split(' ').chain(["IS", "LI", "NO"]).any(|member| member == country),
        }
    }
}

/// The member states of the European Union.
const EU: &str = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK";

/// Codes of the EU country table beside ISO 3166-1 alpha-2: the Union, the EEA, and states of the federation.
const THREE_LETTERS: &str = "AUT:AT BEL:BE BGR:BG CYP:CY CZE:CZ DEU:DE DNK:DK EST:EE ESP:ES FIN:FI FRA:FR GRC:GR \
    HRV:HR HUN:HU IRL:IE ITA:IT LTU:LT LUX:LU LVA:LV MLT:MT NLD:NL POL:PL PRT:PT ROU:RO SWE:SE SVN:SI SVK:SK ISL:IS \
    LIE:LI NOR:NO CHE:CH GBR:GB TUR:TR UKR:UA";

/// The term without its namespace, where it has one of these.
fn local<'a>(text: &'a str, namespaces: &[&str]) -> &'a str {
    namespaces.iter().find_map(|namespace| text.strip_prefix(namespace)).unwrap_or(text)
}

/// Each purpose of DPV with its broader ones.
static PURPOSES: LazyLock<HashMap<&'static str, Vec<&'static str>>> = LazyLock::new(|| {
    let pairs = DPV_PURPOSES.split_whitespace().filter_map(|entry| entry.split_once(':'));
    let mut purposes: HashMap<_, Vec<_>> = pairs.map(|(term, broader)| (term, broader.split(',').collect())).collect();
    purposes.insert("Purpose", Vec::new());
    purposes
});

/// The purposes of DPV 2.3, each with its broader ones (`skos:broader`).
const DPV_PURPOSES: &str = "AcademicResearch:ResearchAndDevelopment AccountManagement:Purpose Advertising:Marketing \
    AgeVerification:Verification CombatClimateChange:PublicBenefit CommercialPurpose:Purpose \
    CommercialResearch:CommercialPurpose,ResearchAndDevelopment \
    CommunicationForCustomerCare:CommunicationManagement,CustomerCare CommunicationManagement:Purpose \
    CounterMoneyLaundering:FraudPreventionAndDetection Counterterrorism:PublicBenefit \
    CustomerCare:CustomerManagement CustomerClaimsManagement:CustomerManagement CustomerManagement:Purpose \
    CustomerOrderManagement:CustomerManagement CustomerRelationshipManagement:CustomerManagement \
    CustomerSolvencyMonitoring:CustomerManagement DataAltruism:PublicBenefit \
    DataAvailabilityAssessment:DataGovernance DataGovernance:OrganisationGovernance \
    DataInteroperabilityAssessment:DataInteroperabilityManagement \
    DataInteroperabilityImprovement:DataInteroperabilityManagement DataInteroperabilityManagement:DataGovernance \
    DataInventoryManagement:DataGovernance DataQualityAssessment:DataQualityManagement \
    DataQualityImprovement:DataQualityManagement DataQualityManagement:DataGovernance \
    DataSecurityManagement:DataGovernance DataSuitabilityAssessment:DataQualityAssessment \
    DeliveryOfGoods:RequestedServiceProvision DirectMarketing:Marketing DisputeManagement:OrganisationGovernance \
    EnforceAccessControl:EnforceSecurity EnforceSecurity:Purpose EstablishContractualAgreement:Purpose \
    FraudPreventionAndDetection:MisusePreventionAndDetection \
    FulfilmentOfContractualObligation:FulfilmentOfObligation FulfilmentOfObligation:Purpose \
    HumanResourceManagement:Purpose IdentityAuthentication:EnforceSecurity IdentityVerification:Verification \
    ImproveExistingProductsAndServices:OptimisationForController ImproveHealthcare:PublicBenefit \
    ImproveInternalCRMProcesses:CustomerRelationshipManagement,OptimisationForController \
    ImprovePublicServices:PublicBenefit ImproveTransportMobility:PublicBenefit \
    IncreaseServiceRobustness:OptimisationForController InternalResourceOptimisation:OptimisationForController \
    LegalCompliance:FulfilmentOfObligation MaintainFraudDatabase:FraudPreventionAndDetection Marketing:Purpose \
    MemberPartnerManagement:OrganisationGovernance MetadataManagement:DataGovernance \
    MisusePreventionAndDetection:EnforceSecurity NonCommercialPurpose:Purpose \
    NonCommercialResearch:NonCommercialPurpose,ResearchAndDevelopment \
    OptimisationForConsumer:ServiceOptimisation OptimisationForController:ServiceOptimisation \
    OptimiseUserInterface:OptimisationForConsumer OrganisationComplianceManagement:OrganisationGovernance \
    OrganisationGovernance:Purpose OrganisationRiskManagement:OrganisationGovernance \
    PaymentManagement:ServiceManagement Personalisation:Purpose \
    PersonalisedAdvertising:Advertising,Personalisation PersonalisedBenefits:ServicePersonalisation \
    PersonnelBehaviourMonitoring:PersonnelMonitoring PersonnelHiring:PersonnelManagement \
    PersonnelManagement:HumanResourceManagement PersonnelMonitoring:PersonnelManagement \
    PersonnelOffboarding:PersonnelManagement PersonnelOnboarding:PersonnelHiring \
    PersonnelPayment:PersonnelManagement PersonnelPerformanceEvaluation:PersonnelPerformanceManagement \
    PersonnelPerformanceManagement:PersonnelManagement,PersonnelMonitoring \
    PersonnelPerformanceMonitoring:PersonnelMonitoring,PersonnelPerformanceManagement \
    PersonnelPerformancePrediction:PersonnelPerformanceManagement \
    PersonnelPromotionManagement:PersonnelManagement PersonnelTerminationManagement:PersonnelManagement \
    PersonnelWorkloadManagement:PersonnelManagement PoliticalCampaign:Advertising,Personalisation \
    ProtectionOfIPR:FulfilmentOfObligation ProtectionOfNationalSecurity:PublicBenefit \
    ProtectionOfPublicSecurity:PublicBenefit ProvideEventRecommendations:ProvidePersonalisedRecommendations \
    ProvideOfficialStatistics:PublicBenefit ProvidePersonalisedRecommendations:ServicePersonalisation \
    ProvideProductRecommendations:ProvidePersonalisedRecommendations PublicBenefit:Purpose \
    PublicPolicyMaking:PublicBenefit PublicRelations:Marketing RecordManagement:Purpose \
    RecruitmentAdvertising:Advertising,PersonnelHiring RecruitmentApplicantBackgroundCheck:RecruitmentManagement \
    RecruitmentApplicantCriminalBackgroundCheck:RecruitmentManagement \
    RecruitmentApplicantInformationAuthentication:RecruitmentManagement \
    RecruitmentApplicantSelection:RecruitmentManagement \
    RecruitmentApplicationAnalysis:RecruitmentApplicationManagement \
    RecruitmentApplicationManagement:RecruitmentManagement \
    RecruitmentApplicationScreening:RecruitmentApplicationManagement \
    RecruitmentInterviewAnalysis:RecruitmentInterviewManagement \
    RecruitmentInterviewAssessment:RecruitmentInterviewManagement \
    RecruitmentInterviewManagement:RecruitmentManagement \
    RecruitmentInterviewScheduling:RecruitmentInterviewManagement RecruitmentManagement:PersonnelHiring \
    RecruitmentTargetedAdvertising:RecruitmentAdvertising,TargetedAdvertising \
    RepairImpairments:ServiceManagement RequestedServiceProvision:ServiceProvision \
    ResearchAndDevelopment:Purpose ScientificResearch:ResearchAndDevelopment \
    SearchFunctionalities:ServiceProvision SellDataToThirdParties:SellProducts SellInsightsFromData:SellProducts \
    SellProducts:ServiceProvision SellProductsToDataSubject:SellProducts \
    ServiceAccessDetermination:ServiceManagement ServiceManagement:Purpose ServiceMonitoring:ServiceManagement \
    ServiceOptimisation:ServiceManagement ServicePersonalisation:Personalisation,ServiceManagement \
    ServiceProvision:ServiceManagement ServiceRegistration:ServiceManagement \
    ServiceUsageAnalytics:ServiceMonitoring SocialMediaMarketing:Marketing \
    TargetedAdvertising:PersonalisedAdvertising TechnicalServiceProvision:ServiceProvision \
    UserInterfacePersonalisation:ServicePersonalisation VendorManagement:Purpose VendorPayment:VendorManagement \
    VendorRecordsManagement:VendorManagement VendorSelectionAssessment:VendorManagement \
    Verification:EnforceSecurity";

#[cfg(test)]
pub(super) fn every_purpose() -> Vec<&'static str> {
    let mut all: Vec<_> = PURPOSES.keys().copied().collect();
    all.sort_unstable();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_is_the_same_short_prefixed_and_as_an_iri() {
        for text in ["reproduce", "odrl:reproduce", "http://www.w3.org/ns/odrl/2/reproduce"] {
            assert_eq!(Action::read(text).map(Action::name), Some("reproduce"), "{text}");
        }
        assert_eq!(Operand::read("odrl:purpose"), Some(Operand::Purpose));
        assert_eq!(Operator::read("http://www.w3.org/ns/odrl/2/isAnyOf"), Some(Operator::IsAnyOf));
        assert_eq!(Place::read("http://publications.europa.eu/resource/authority/country/GRC"), Place::read("GR"));
        assert!(Action::read("dc:use").is_none() && Operand::read("system").is_none() && Place::read("XX").is_none());
    }

    #[test]
    fn a_broader_purpose_covers_a_narrower_one_and_not_the_other_way() {
        let dpv = |term: &str| format!("https://w3id.org/dpv#{term}");
        assert_eq!(purpose_within(&dpv("AcademicResearch"), "dpv:ResearchAndDevelopment"), Truth::Yes);
        assert_eq!(purpose_within("dpv:ResearchAndDevelopment", &dpv("AcademicResearch")), Truth::Unclear);
        assert_eq!(purpose_within(&dpv("AcademicResearch"), &dpv("Marketing")), Truth::No);
        // Research may turn out to be commercial research, which is commercial.
        assert_eq!(purpose_within("dpv:ResearchAndDevelopment", "dpv:CommercialPurpose"), Truth::Unclear);
        assert_eq!(purpose_within("https://example.org/own", "dpv:Marketing"), Truth::Unclear);
        assert_eq!(purpose_within("https://example.org/own", "https://example.org/own"), Truth::Yes);
    }

    #[test]
    fn the_tree_of_actions_and_of_purposes_has_no_dangling_branch() {
        assert!(ACTIONS.iter().all(|(_, parent)| parent.is_empty() || ACTIONS.iter().any(|(name, _)| name == parent)));
        assert!(PURPOSES.values().flatten().all(|broader| PURPOSES.contains_key(broader)));
        assert!(PURPOSES.keys().all(|term| is_broader_or_same("Purpose", term)));
    }
}
