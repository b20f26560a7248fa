//! A form that was refused is shown again where it stood: with what was typed, and with the reason at its field.

use axum::http::StatusCode;

use crate::Problem;

/// Fields that are never shown again, whatever form they stand in.
const SECRET: [&str; 7] = ["csrf", "password", "old", "again", "secret", "client_secret", "code"];

/// A form as it was sent, and why it was not taken.
pub struct Refused {
    form: String,
    sent: Vec<(String, String)>,
    field: Option<String>,
    what: String,
    status: StatusCode,
}

impl Refused {
    /// Of a form with a name of its page. What its sender cannot mend (there is no such thing, this program failed) stays a problem.
    pub fn new(form: &str, sent: &[(String, String)], problem: Problem) -> Result<Self, Problem> {
        if !matches!(problem.status, 400 | 403 | 409 | 413 | 422) {
            return Err(problem);
        }
        let shown = sent.iter().filter(|(name, _)| !SECRET.contains(&name.as_str()));
        Ok(Self {
            form: form.to_owned(),
            sent: shown.cloned().collect(),
            field: problem.field.map(str::to_owned),
            status: problem.code(),
            what: problem.detail,
        })
    }

    /// Where the form has another name for a field than the API.
    #[must_use]
    pub fn named(mut self, names: &[(&str, &str)]) -> Self {
        if let Some(field) = &mut self.field
            && let Some((_, own)) = names.iter().find(|(api, _)| api == field)
        {
            (*own).clone_into(field);
        }
        self
    }

    /// The status of the page.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Why.
    pub fn what(&self) -> &str {
        &self.what
    }

    /// Whether it is this form.
    pub fn is(&self, form: &str) -> bool {
        self.form == form
    }

    /// What was typed into a field of this form, where it was this one.
    pub fn typed(&self, form: &str, name: &str) -> Option<&str> {
        let found = self.sent.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
        self.is(form).then(|| found.unwrap_or_default())
    }

    /// Whether a box or row of this form was ticked.
    pub fn ticked(&self, form: &str, name: &str, value: &str) -> bool {
        self.is(form) && self.sent.iter().any(|(n, v)| n == name && v == value)
    }

    /// Why, where it is about this field.
    pub fn at(&self, form: &str, name: &str) -> Option<&str> {
        (self.is(form) && self.field.as_deref() == Some(name)).then_some(self.what.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_is_kept_and_secrets_are_not() {
        let sent = [("csrf", "x"), ("login", "ana"), ("password", "p"), ("secret", "s"), ("role-admin", "on")];
        let sent: Vec<(String, String)> = sent.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        let refused = Refused::new("add", &sent, Problem::at("login", "taken")).unwrap();
        assert_eq!(
            (refused.typed("add", "login"), refused.typed("add", "password"), refused.typed("add", "secret")),
            (Some("ana"), Some(""), Some(""))
        );
        assert_eq!((refused.typed("other", "login"), refused.at("add", "login"), refused.at("add", "name")), (None, Some("taken"), None));
        assert!(refused.ticked("add", "role-admin", "on") && !refused.ticked("other", "role-admin", "on"));
        assert_eq!(refused.named(&[("login", "who")]).at("add", "who"), Some("taken"));
        for status in [StatusCode::NOT_FOUND, StatusCode::INTERNAL_SERVER_ERROR, StatusCode::UNAUTHORIZED] {
            assert!(Refused::new("add", &sent, Problem::new(status, "x")).is_err(), "{status}");
        }
    }
}
