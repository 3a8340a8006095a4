//! The one shim that may look at the target: what only a server, or only a browser, can do.

/// Sets the status of the page being rendered; nothing in a browser.
pub fn set_status(status: u16) {
    #[cfg(feature = "ssr")]
    {
        use leptos::prelude::use_context;
        let options = use_context::<leptos_axum::ResponseOptions>();
        if let (Some(options), Ok(status)) = (options, axum::http::StatusCode::from_u16(status)) {
            options.set_status(status);
        }
    }
    #[cfg(not(feature = "ssr"))]
    let _ = status;
}

/// Loads the page anew: what it shows was changed.
pub fn reload() {
    #[cfg(feature = "hydrate")]
    {
        let _ = leptos::prelude::window().location().reload();
    }
}

/// Calls `then` once in the browser, and again whenever something is typed or chosen in the form of this id. It is
/// given the form's fields; a field that occurs several times comes several times.
pub fn follow_form(form_id: &'static str, then: impl Fn(Vec<(String, String)>) + 'static) {
    #[cfg(feature = "hydrate")]
    browser::follow_form(form_id, then);
    #[cfg(not(feature = "hydrate"))]
    let _ = (form_id, then);
}

/// Calls `then` once in the browser, and again whenever something is typed in the box of this id, with what is typed in
/// its composed form (NFC): the browser brings that, the tables would weigh more than the rest.
pub fn follow_input(input_id: &str, then: impl Fn(&str) + 'static) {
    #[cfg(feature = "hydrate")]
    browser::follow_input(input_id, then);
    #[cfg(not(feature = "hydrate"))]
    let _ = (input_id, then);
}

/// Calls `then` when the form of this id is submitted, before it travels.
pub fn before_submit(form_id: &'static str, then: impl Fn() + 'static) {
    #[cfg(feature = "hydrate")]
    browser::listen(form_id, "submit", then);
    #[cfg(not(feature = "hydrate"))]
    let _ = (form_id, then);
}

/// Submits the form of this id whenever one of its lists is chosen from.
pub fn submit_on_choice(form_id: &'static str) {
    #[cfg(feature = "hydrate")]
    browser::submit_on_choice(form_id);
    #[cfg(not(feature = "hydrate"))]
    let _ = form_id;
}

/// Changes what is typed in the box of this id.
pub fn rewrite_input(input_id: &str, rewrite: impl Fn(&str) -> String) {
    #[cfg(feature = "hydrate")]
    if let Some(input) = browser::find::<web_sys::HtmlInputElement>(input_id) {
        let typed = input.value();
        let wanted = rewrite(&typed);
        if wanted != typed {
            input.set_value(&wanted);
        }
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = (input_id, rewrite);
}

/// Shows or hides what is typed in a password box.
pub fn show_password(input_id: &str, shown: bool) {
    #[cfg(feature = "hydrate")]
    if let Some(input) = browser::find::<web_sys::HtmlInputElement>(input_id) {
        input.set_type(if shown { "text" } else { "password" });
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = (input_id, shown);
}

/// Of the elements that carry `attribute`, shows those with this value and takes the others out of the form.
pub fn show_only(attribute: &str, value: &str) {
    #[cfg(feature = "hydrate")]
    browser::show_only(attribute, value);
    #[cfg(not(feature = "hydrate"))]
    let _ = (attribute, value);
}

#[cfg(feature = "hydrate")]
mod browser {
    use leptos::prelude::document;
    use wasm_bindgen::prelude::Closure;
    use wasm_bindgen::{JsCast, JsValue};
    use web_sys::{Element, EventTarget, FormData, HtmlFormElement};

    pub fn find<T: JsCast>(id: &str) -> Option<T> {
        document().get_element_by_id(id)?.dyn_into().ok()
    }

    pub fn listen(id: &str, event: &str, then: impl Fn() + 'static) {
        if let Some(target) = find::<EventTarget>(id) {
            let closure = Closure::<dyn Fn()>::new(then);
            let _ = target.add_event_listener_with_callback(event, closure.as_ref().unchecked_ref());
            // Lives as long as the page.
            closure.forget();
        }
    }

    fn fields(form_id: &str) -> Vec<(String, String)> {
        let data = find::<HtmlFormElement>(form_id).and_then(|form| FormData::new_with_form(&form).ok());
        let Some(entries) = data.and_then(|data| js_sys::try_iter(data.as_ref()).ok().flatten()) else {
            return Vec::new();
        };
        let text = |pair: &js_sys::Array, index: u32| pair.get(index).as_string().unwrap_or_default();
        let pair = |entry: JsValue| {
            let pair: js_sys::Array = entry.unchecked_into();
            (text(&pair, 0), text(&pair, 1))
        };
        entries.filter_map(Result::ok).map(pair).collect()
    }

    pub fn follow_form(form_id: &'static str, then: impl Fn(Vec<(String, String)>) + 'static) {
        then(fields(form_id));
        listen(form_id, "input", move || then(fields(form_id)));
    }

    pub fn follow_input(input_id: &str, then: impl Fn(&str) + 'static) {
        let Some(input) = find::<web_sys::HtmlInputElement>(input_id) else {
            return;
        };
        let read = move || {
            let typed = js_sys::JsString::from(input.value()).normalize("NFC");
            then(&String::from(typed));
        };
        read();
        listen(input_id, "input", read);
    }

    pub fn submit_on_choice(form_id: &'static str) {
        let submit = move |event: web_sys::Event| {
            let target = event
                .target()
                .and_then(|target| target.dyn_into::<Element>().ok());
            let is_list = target.is_some_and(|element| element.tag_name() == "SELECT");
            if let (true, Some(form)) = (is_list, find::<HtmlFormElement>(form_id)) {
                let _ = form.request_submit();
            }
        };
        if let Some(form) = find::<EventTarget>(form_id) {
            let closure = Closure::<dyn Fn(web_sys::Event)>::new(submit);
            let _ = form.add_event_listener_with_callback("change", closure.as_ref().unchecked_ref());
            closure.forget();
        }
    }

    pub fn show_only(attribute: &str, value: &str) {
        let Ok(all) = document().query_selector_all(&format!("[{attribute}]")) else {
            return;
        };
        for index in 0..all.length() {
            let Some(element) = all.get(index).and_then(|node| node.dyn_into::<Element>().ok()) else {
                continue;
            };
            let wanted = element.get_attribute(attribute).as_deref() == Some(value);
            let _ = element.toggle_attribute_with_force("hidden", !wanted);
            let _ = element.toggle_attribute_with_force("disabled", !wanted);
        }
    }
}
