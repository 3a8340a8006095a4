//! What stands above the create form: what to begin with, and whatever whoever reads it should know of what is filled in.

use leptos::prelude::*;

use crate::model::form::FormState;
use crate::model::key_link::FORM;
use crate::model::key_page::{Beginning, KeyFormMaterial, Source};
use crate::model::template::TemplateChoice;
use crate::ui::components::Icon;

/// The templates to begin with, as links: they work without a script, and can be sent to somebody.
pub(super) fn templates(material: &KeyFormMaterial) -> AnyView {
    if material.templates.is_empty() {
        return ().into_any();
    }
    let source = &material.beginning.source;
    let chosen = match source {
        Source::Template(id) => Some(id),
        _ => None,
    };
    let link = |template: &TemplateChoice| {
        let current = (chosen == Some(&template.id)).then_some("true");
        let about = template.description.clone();
        view! {
            <li>
                <a href=format!("{FORM}?template={}", template.id) aria-current=current>
                    <b>{template.name.clone()}</b>
                    <small>{about}</small>
                </a>
            </li>
        }
    };
    let blank = (*source == Source::Nothing).then_some("true");
    view! {
        <nav class="starts" aria-label="Start from">
            <h2>"Start from"</h2>
            <ul>
                <li><a href=FORM aria-current=blank><b>"Blank"</b><small>"Nothing is filled in."</small></a></li>
                {material.templates.iter().map(link).collect_view()}
            </ul>
        </nav>
    }
    .into_any()
}

fn remarks(begin: &Beginning) -> Option<AnyView> {
    let lines = begin
        .remarks
        .iter()
        .map(|remark| view! { <li>{remark.clone()}</li> });
    (!begin.remarks.is_empty()).then(|| view! { <ul class="bullets">{lines.collect_view()}</ul> }.into_any())
}

/// Where the form was filled in from.
pub(super) fn provenance(material: &KeyFormMaterial) -> AnyView {
    let begin = &material.beginning;
    let notice = |class: &'static str, icon: &'static str, title: String| {
        view! { <div class=class role="note"><Icon name=icon/><div><p><b>{title}</b></p>{remarks(begin)}</div></div> }
            .into_any()
    };
    let link = begin.link.clone().map(|address| {
        view! {
            <div class="notice ok">
                <Icon name="ok"/>
                <div>
                    <p><b>"This address opens the form as you filled it in."</b>" It creates nothing, and holds no secret. Copy it from here:"</p>
                    <p><code class="address" tabindex="0">{address}</code></p>
                </div>
            </div>
        }
    });
    let told = match &begin.source {
        Source::Link => notice(
            "notice warn",
            "warn",
            "Filled in by a link. Read it before you create the key.".to_owned(),
        ),
        Source::Key(name) => notice(
            "notice info",
            "info",
            format!("Filled in as {name}. Give it a name of its own if that one goes on."),
        ),
        Source::Template(id) => {
            let name = material.templates.iter().find(|template| template.id == *id);
            let name = name.map_or("", |template| template.name.as_str());
            let title = format!("Filled in from the template {name}. You can change all of it.");
            notice("notice info", "info", title)
        }
        Source::Nothing if begin.remarks.is_empty() => ().into_any(),
        Source::Nothing => notice("notice warn", "warn", "Not filled in".to_owned()),
    };
    view! { {link}{told} }.into_any()
}

/// What the form means, when it was asked for.
pub(super) fn reviewed(state: &FormState) -> AnyView {
    if state.said.is_empty() {
        return ().into_any();
    }
    let said = state.said.iter().map(|line| view! { <li>{line.clone()}</li> });
    view! {
        <div class="notice info" role="status" tabindex="-1" id="review">
            <Icon name="info"/>
            <div>
                <h2>"Review: nothing is created yet"</h2>
                <ul class="bullets">{said.collect_view()}</ul>
            </div>
        </div>
    }
    .into_any()
}
