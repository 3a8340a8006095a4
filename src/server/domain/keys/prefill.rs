//! What the create form begins with: another key, a template, or the address of the page. An address may come from
//! anybody, so nothing of it is dropped unseen: what cannot stay is told, and all the rest stands in the form.

use super::issue::{self, unlisted, unlisted_error};
use super::restrictions;
use crate::model::actor::Actor;
use crate::model::error::FieldError;
use crate::model::form::FormValues;
use crate::model::key::{Environment, KeyDetail, Lifetime};
use crate::model::key_link::{self, BEGINNINGS, FIELDS, FORM, LISTS, QUERY_MAX};
use crate::model::key_page::{Beginning, Source, WayToKey};
use crate::model::org::MemberName;
use crate::model::permission::Permission;
use crate::model::project::Project;
use crate::model::restriction::RestrictionsDraft;
use crate::model::rotation::{OWN_DAYS_FIELD, parse_interval};
use crate::model::scope::ScopeSet;
use crate::model::scope_group::{GroupPreset, field_name, groups, words};
use crate::model::template::{EXPIRIES, KeyTemplate};
use crate::model::text::{self, NAME_MAX, NOTE_MAX, shown};
use crate::model::time::{DAY_MS, Timestamp};
use crate::server::domain::DomainError;
use crate::server::platform::countries::CountryDatabase;

/// Presets of a template are set for every project that can be chosen, while the form stays as short as this.
const PRESETS_MAX: usize = 300;
/// Names of unknown parts of an address that are told.
const UNKNOWN_TOLD: usize = 8;

/// What is known about whoever opens the form, and what they may choose from.
pub struct Opening<'a> {
    pub actor: &'a Actor,
    pub projects: &'a [Project],
    pub members: &'a [MemberName],
    pub now: Timestamp,
    pub origin: &'a str,
    pub countries: &'a CountryDatabase,
}

type Pairs = Vec<(String, String)>;

/// Puts together what the form begins with. `asked` is the query of the page's address.
#[must_use]
pub fn beginning(
    opening: &Opening<'_>,
    asked: &FormValues,
    key: Option<&KeyDetail>,
    template: Option<&KeyTemplate>,
) -> Beginning {
    let mut begin = Beginning::default();
    let mut pairs = Pairs::new();
    let by_link = FIELDS
        .iter()
        .any(|field| asked.all(field).iter().any(|value| !value.is_empty()));
    let mut project = named_project(opening, asked);
    if let Some(key) = key {
        begin.source = Source::Key(key.summary.name.clone());
        pairs.extend(key_link::values_of(key));
    } else if asked.has("from") {
        let remark = "The key to begin with does not exist here. The form is empty.";
        begin.remarks.push(remark.to_owned());
    }
    if let Some(template) = template {
        begin.source = Source::Template(template.id);
        project = project.or_else(|| project_of(opening, template, &mut begin));
        pairs.extend(template_pairs(opening, template, project, &mut begin));
    } else if asked.has("template") {
        let remark = "There is no such template, or it was deleted. The form is empty; choose another one, or fill it in.";
        begin.remarks.push(remark.to_owned());
    }
    if by_link {
        begin.source = Source::Link;
        let given = link_pairs(opening, asked, project, &mut begin);
        pairs.retain(|(name, _)| !replaces(&given, name));
        pairs.extend(given);
    }
    tell_unknown(asked, &mut begin);
    begin.values = FormValues::from_pairs(pairs);
    if by_link {
        check(opening, asked, project, &mut begin);
    }
    if asked.has("copy") {
        begin.link = Some(link(opening.origin, asked));
    }
    begin
}

/// Whether what the address says takes the place of a field that was filled in already.
fn replaces(given: &Pairs, name: &str) -> bool {
    let of_scopes = |name: &str| name == "scopes" || name.starts_with("grant:");
    given
        .iter()
        .any(|(known, _)| known == name || (of_scopes(known) && of_scopes(name)))
}

/// The project an address names, by id or short name.
fn named_project<'a>(opening: &Opening<'a>, asked: &FormValues) -> Option<&'a Project> {
    let named = asked.first("project").trim();
    let is_it = |project: &&Project| project.id.as_str() == named || project.slug == named;
    opening.projects.iter().find(is_it)
}

fn project_of<'a>(
    opening: &Opening<'a>,
    template: &KeyTemplate,
    begin: &mut Beginning,
) -> Option<&'a Project> {
    let id = template.project.as_ref()?;
    let found = opening.projects.iter().find(|project| project.id == *id);
    if found.is_none() {
        let remark = format!(
            "The project of the template {} is archived. Choose another.",
            template.name
        );
        begin.remarks.push(remark);
    }
    found
}

fn template_pairs(
    opening: &Opening<'_>,
    template: &KeyTemplate,
    project: Option<&Project>,
    begin: &mut Beginning,
) -> Pairs {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let mut pairs = vec![pair("expiry", &template.expiry)];
    pairs.extend(project.map(|project| pair("project", project.id.as_str())));
    match template.environment {
        Some(environment) if issue::way_to(opening.actor, environment) == WayToKey::Closed => {
            let remark = format!(
                "The template {} is for {} keys, which only administrators create.",
                template.name,
                environment.as_str()
            );
            begin.remarks.push(remark);
        }
        Some(environment) => pairs.push(pair("environment", environment.as_str())),
        None => {}
    }
    pairs.extend(
        template
            .rotation_days
            .map(|days| pair(OWN_DAYS_FIELD, &days.to_string())),
    );
    pairs.extend(key_link::values_of_rules(&template.restrictions));
    let Some(shown_project) = project.or_else(|| opening.projects.first()) else {
        return pairs;
    };
    let granted = template.granted(shown_project);
    pairs.extend(granted.scopes.iter().map(|scope| pair("scopes", scope)));
    if !granted.unlisted.is_empty() {
        let list = granted.unlisted.join(", ");
        let remark = format!(
            "{} does not list {list}, which the template {} names. It is left out.",
            shown_project.name, template.name
        );
        begin.remarks.push(remark);
    }
    if matches!(template.preset, GroupPreset::Read | GroupPreset::Write) {
        let others = opening.projects.iter().filter(|one| one.id != shown_project.id);
        let presets = others.flat_map(|project| presets_of(project, template.preset));
        pairs.extend(presets.take(PRESETS_MAX));
    }
    pairs
}

/// A preset for each group of a project, so that choosing that project keeps what the template means.
fn presets_of(project: &Project, preset: GroupPreset) -> Vec<(String, String)> {
    let best = |group: &crate::model::scope_group::ScopeGroup<'_>| match preset {
        GroupPreset::Write if group.offers(GroupPreset::Write) => GroupPreset::Write,
        _ if group.offers(GroupPreset::Read) => GroupPreset::Read,
        _ => GroupPreset::None,
    };
    let field = |group| {
        let preset = best(&group).as_str().to_owned();
        (field_name(&project.id, group.name), preset)
    };
    groups(&project.scopes).into_iter().map(field).collect()
}

/// What the address says, in the form's own terms.
fn link_pairs(
    opening: &Opening<'_>,
    asked: &FormValues,
    project: Option<&Project>,
    begin: &mut Beginning,
) -> Pairs {
    let mut pairs = Pairs::new();
    for name in FIELDS {
        let given = asked.all(name);
        if given.iter().all(String::is_empty) {
            continue;
        }
        match name {
            "project" => {
                // An unknown one chooses none: the first of the list would be somebody else's choice.
                let id = project.map_or("", |project| project.id.as_str());
                pairs.push((name.to_owned(), id.to_owned()));
            }
            "scopes" | "other_scopes" => {
                let scopes = given.iter().flat_map(|text| words(text));
                pairs.extend(scopes.map(|scope| ("scopes".to_owned(), scope.to_owned())));
            }
            "hours_days" => pairs.extend(
                given
                    .iter()
                    .flat_map(|text| words(text))
                    .map(|day| (name.to_owned(), day.to_owned())),
            ),
            _ if LISTS.contains(&name) => pairs.push((name.to_owned(), given.join("\n"))),
            _ => {
                if given.len() > 1 {
                    let message = "The link says this more than once; the first stands here.";
                    begin.errors.push(FieldError::new(name, "twice", message));
                }
                pairs.push((name.to_owned(), given[0].trim().to_owned()));
            }
        }
    }
    whole_days(&mut pairs, opening.now);
    pairs
}

/// A number of days that the form does not offer becomes a date.
fn whole_days(pairs: &mut Pairs, now: Timestamp) {
    let Some((_, value)) = pairs.iter_mut().find(|(name, _)| name == "expiry") else {
        return;
    };
    if value == "custom" || EXPIRIES.iter().any(|(offered, _)| offered == value) {
        return;
    }
    if let Ok(Lifetime::Days(days)) = Lifetime::parse(value, "", now) {
        let last = now.plus_ms((i64::from(days) - 1) * DAY_MS).iso_date();
        "custom".clone_into(value);
        pairs.retain(|(name, _)| name != "expiry_date");
        pairs.push(("expiry_date".to_owned(), last));
    }
}

fn tell_unknown(asked: &FormValues, begin: &mut Beginning) {
    let mut unknown: Vec<String> = Vec::new();
    for (name, _) in asked.pairs() {
        let told = shown(name, 40);
        if !FIELDS.contains(&name) && !BEGINNINGS.contains(&name) && !unknown.contains(&told) {
            unknown.push(told);
        }
    }
    if unknown.is_empty() {
        return;
    }
    let more = unknown.len().saturating_sub(UNKNOWN_TOLD);
    unknown.truncate(UNKNOWN_TOLD);
    let mut list = unknown
        .iter()
        .map(|name| format!("“{name}”"))
        .collect::<Vec<_>>()
        .join(", ");
    if more > 0 {
        list = format!("{list} and {more} more");
    }
    let remark = format!("The address also says {list}, which this form does not know. It changes nothing.");
    begin.remarks.push(remark);
}

/// Checks what the address says with the rules of the form itself.
fn check(opening: &Opening<'_>, asked: &FormValues, project: Option<&Project>, begin: &mut Beginning) {
    let values = begin.values.clone();
    let first = |name: &str| values.first(name).to_owned();
    let says = |name: &str| asked.all(name).iter().any(|value| !value.is_empty());
    let mut errors = Vec::new();
    if says("project") && project.is_none() {
        let named = shown(asked.first("project"), 60);
        let message = format!(
            "The link names the project “{named}”, which does not exist here or is archived. Choose one."
        );
        errors.push(FieldError::new("project", "choice", message));
    }
    if says("environment") {
        errors.extend(environment_error(opening.actor, &first("environment")));
    }
    if says("name") {
        errors.extend(text::line("name", "The name", &first("name"), 1, NAME_MAX).err());
    }
    errors.extend(text::line("purpose", "The purpose", &first("purpose"), 0, NOTE_MAX).err());
    if says("owner") || says("owner_team") {
        errors.extend(owner_error(opening, &values, begin));
    }
    if says("expiry") {
        errors.extend(Lifetime::parse(&first("expiry"), &first("expiry_date"), opening.now).err());
    }
    errors.extend(parse_interval(&first(OWN_DAYS_FIELD)).err());
    let scopes = values.all("scopes");
    match ScopeSet::parse("scopes", scopes.iter().map(String::as_str)) {
        Ok(set) => {
            if let Some(project) = project {
                let missing = unlisted(&set, project);
                errors.extend((!missing.is_empty()).then(|| unlisted_error(&missing, project)));
            }
        }
        Err(error) => errors.push(error),
    }
    match restrictions::parse(&RestrictionsDraft::of_form(&values)) {
        Ok(rules) => errors.extend(restrictions::refuse_untold(&rules, None, opening.countries).err()),
        Err(DomainError::Invalid(wrong)) => errors.extend(wrong),
        Err(_) => {}
    }
    let is_sensitive = |name: &str| {
        let named = project.map_or(opening.projects, std::slice::from_ref);
        let mut all = named.iter().flat_map(|project| &project.scopes);
        all.any(|scope| scope.sensitive && scope.name == name)
    };
    let cautions = key_link::cautions(scopes, is_sensitive, &first("environment"));
    begin
        .remarks
        .extend(cautions.into_iter().map(|caution| shown(&caution, 400)));
    begin.errors.extend(errors);
}

fn environment_error(actor: &Actor, text: &str) -> Option<FieldError> {
    let refuse = |code: &str, message: String| Some(FieldError::new("environment", code, message));
    match Environment::parse(text) {
        None => {
            let named = shown(text, 40);
            refuse("choice", format!("The link says “{named}”. Choose live or test."))
        }
        Some(environment) if issue::way_to(actor, environment) == WayToKey::Closed => {
            let named = environment.as_str();
            let message = format!("The link asks for a {named} key, which only administrators create.");
            refuse("forbidden", message)
        }
        Some(_) => None,
    }
}

fn owner_error(opening: &Opening<'_>, values: &FormValues, begin: &mut Beginning) -> Option<FieldError> {
    let owner = values.first("owner");
    if !opening.actor.may(Permission::KeysManageAny) {
        let remark = "The link names an owner. You would own the key yourself: only administrators choose.";
        begin.remarks.push(remark.to_owned());
        return None;
    }
    let is_member = |id: &str| {
        opening
            .members
            .iter()
            .any(|member| member.account_id.as_str() == id)
    };
    let is_known = match owner.strip_prefix("member:") {
        Some(id) => is_member(id),
        None => matches!(owner, "team" | ""),
    };
    if !is_known {
        let named = shown(owner, 60);
        let message = format!("The link names the owner “{named}”, who is no member here. Choose one.");
        return Some(FieldError::new("owner", "choice", message));
    }
    let team = text::line(
        "owner_team",
        "The team’s name",
        values.first("owner_team"),
        0,
        NAME_MAX,
    );
    team.err()
}

/// The address that begins with the same.
fn link(origin: &str, asked: &FormValues) -> String {
    let pairs: Pairs = asked
        .pairs()
        .filter(|(name, _)| FIELDS.contains(name) || *name == "template")
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let mut query = key_link::query(&pairs);
    query.truncate(QUERY_MAX);
    let origin = origin.trim_end_matches('/');
    format!("{origin}{FORM}?{query}")
}
