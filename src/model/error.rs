//! The one error that leaves the house, for pages, server functions, the command line and RFC 9457 alike.

use serde::{Deserialize, Serialize};

/// What went wrong, in a word that programs may rely on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    Invalid,
    MalformedBody,
    UnsupportedMediaType,
    TooLarge,
    MethodNotAllowed,
    Unauthenticated,
    SecondFactorRequired,
    /// The act needs a proof of identity that is younger than ten minutes.
    StepUpRequired,
    /// The organisation asks for a second factor that the account does not have.
    EnrolmentRequired,
    Forbidden,
    CrossSiteRequest,
    NotFound,
    NameTaken,
    AlreadySetUp,
    AlreadyShown,
    KeyAlreadyRevoked,
    KeyNotActive,
    /// The policy asks that a second person approves the act.
    ApprovalRequired,
    ProjectArchived,
    SeveralOrganisations,
    Conflict,
    Throttled,
    Busy,
    /// A link that worked once has been used, voided, or has run out.
    LinkOver,
    MisdirectedRequest,
    Unavailable,
    Internal,
}

impl Code {
    /// The HTTP status that carries this code.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::MalformedBody => 400,
            Self::Unauthenticated => 401,
            Self::Forbidden
            | Self::SecondFactorRequired
            | Self::StepUpRequired
            | Self::EnrolmentRequired
            | Self::CrossSiteRequest => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::NameTaken
            | Self::AlreadySetUp
            | Self::AlreadyShown
            | Self::KeyAlreadyRevoked
            | Self::KeyNotActive
            | Self::ApprovalRequired
            | Self::ProjectArchived
            | Self::SeveralOrganisations
            | Self::Conflict => 409,
            Self::LinkOver => 410,
            Self::TooLarge => 413,
            Self::UnsupportedMediaType => 415,
            Self::MisdirectedRequest => 421,
            Self::Invalid => 422,
            Self::Throttled => 429,
            Self::Internal => 500,
            Self::Busy | Self::Unavailable => 503,
        }
    }

    /// A short title, the same for every occurrence (RFC 9457 §3.1.3).
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Invalid => "Some values are not valid",
            Self::MalformedBody => "The request could not be read",
            Self::UnsupportedMediaType => "Unsupported content type",
            Self::TooLarge => "The request is too large",
            Self::MethodNotAllowed => "Method not allowed",
            Self::Unauthenticated => "Not signed in",
            Self::SecondFactorRequired => "A second factor is due",
            Self::StepUpRequired => "Confirm that it is you",
            Self::EnrolmentRequired => "Set up two-factor first",
            Self::Forbidden => "Not allowed",
            Self::CrossSiteRequest => "Refused because it came from another site",
            Self::NotFound => "Not found",
            Self::NameTaken => "The name is taken",
            Self::AlreadySetUp => "Already set up",
            Self::AlreadyShown => "Already shown",
            Self::KeyAlreadyRevoked => "The key is revoked",
            Self::KeyNotActive => "The key is not active",
            Self::ApprovalRequired => "A second person has to approve this",
            Self::ProjectArchived => "The project is archived",
            Self::SeveralOrganisations => "Several organisations exist",
            Self::Conflict => "It changed meanwhile",
            Self::Throttled => "Too many attempts",
            Self::Busy => "Too busy right now",
            Self::LinkOver => "The link is no longer valid",
            Self::MisdirectedRequest => "Wrong address",
            Self::Unavailable => "Unavailable right now",
            Self::Internal => "An internal error",
        }
    }

    /// The word itself, as it is serialised.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::MalformedBody => "malformed_body",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::TooLarge => "too_large",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::Unauthenticated => "unauthenticated",
            Self::SecondFactorRequired => "second_factor_required",
            Self::StepUpRequired => "step_up_required",
            Self::EnrolmentRequired => "enrolment_required",
            Self::Forbidden => "forbidden",
            Self::CrossSiteRequest => "cross_site_request",
            Self::NotFound => "not_found",
            Self::NameTaken => "name_taken",
            Self::AlreadySetUp => "already_set_up",
            Self::AlreadyShown => "already_shown",
            Self::KeyAlreadyRevoked => "key_already_revoked",
            Self::KeyNotActive => "key_not_active",
            Self::ApprovalRequired => "approval_required",
            Self::ProjectArchived => "project_archived",
            Self::SeveralOrganisations => "several_organisations",
            Self::Conflict => "conflict",
            Self::Throttled => "throttled",
            Self::Busy => "busy",
            Self::LinkOver => "link_over",
            Self::MisdirectedRequest => "misdirected_request",
            Self::Unavailable => "unavailable",
            Self::Internal => "internal",
        }
    }
}

/// What is wrong with one field of a form or body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    pub field: String,
    pub code: String,
    /// A sentence for the person who typed it: what is wrong and what to do.
    pub message: String,
}

impl FieldError {
    #[must_use]
    pub fn new(field: &str, code: &str, message: impl Into<String>) -> Self {
        Self {
            field: field.to_owned(),
            code: code.to_owned(),
            message: message.into(),
        }
    }
}

/// An answer that is no: a code for programs, a sentence for people, and what is wrong with which field.
/// It never carries SQL, paths, type names or another error's text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[error("{detail}")]
pub struct AppError {
    pub code: Code,
    pub detail: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldError>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u32>,
}

impl AppError {
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            fields: Vec::new(),
            request_id: None,
            retry_after_s: None,
        }
    }

    /// One or more fields are wrong.
    #[must_use]
    pub fn invalid(fields: Vec<FieldError>) -> Self {
        let detail = match fields.as_slice() {
            [only] => only.message.clone(),
            _ => format!("{} fields need your attention.", fields.len()),
        };
        Self {
            fields,
            ..Self::new(Code::Invalid, detail)
        }
    }

    /// Missing and foreign objects alike: the answer must not tell them apart (R50).
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(
            Code::NotFound,
            "There is nothing here, or it is not in your organisation.",
        )
    }

    #[must_use]
    pub fn unauthenticated() -> Self {
        Self::new(Code::Unauthenticated, "Sign in to continue.")
    }

    #[must_use]
    pub fn forbidden() -> Self {
        Self::new(
            Code::Forbidden,
            "Your role does not allow this. Ask an administrator of your organisation.",
        )
    }

    /// The database did not answer.
    #[must_use]
    pub fn unavailable() -> Self {
        let detail = "The database does not answer right now. Nothing was changed; try again in a moment.";
        Self {
            retry_after_s: Some(2),
            ..Self::new(Code::Unavailable, detail)
        }
    }

    #[must_use]
    pub fn internal() -> Self {
        let detail = "Keywright could not finish this. Try again; if it happens again, give the request id to \
                      whoever runs this installation.";
        Self::new(Code::Internal, detail)
    }

    #[must_use]
    pub fn with_request_id(mut self, request_id: &str) -> Self {
        self.request_id = Some(request_id.to_owned());
        self
    }

    #[must_use]
    pub const fn status(&self) -> u16 {
        self.code.status()
    }
}

impl From<FieldError> for AppError {
    fn from(field: FieldError) -> Self {
        Self::invalid(vec![field])
    }
}
