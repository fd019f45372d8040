//! The user, and the tokens of both documented generations.
//!
//! Tokens expire when a test demands it, and with time only if their life is limited.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use fastrand::Rng;
use serde_json::{Value, json};

use super::error_response::ErrorResponse;
use super::generator::{Generator, short_id};
use crate::json::text_at;
use crate::received::ReceivedRequest;

/// The only user, which is invented. The phone number is one that France reserves for fiction.
#[derive(Debug)]
pub(super) struct User {
    pub(super) email: String,
    pub(super) password: String,
    id: String,
    operator_id: String,
}

impl User {
    pub(super) fn new(rng: &mut Rng) -> User {
        User {
            email: format!("api-{:04x}@operateur.example", rng.u16(..)),
            password: format!("{:024x}", rng.u128(..) >> 32),
            id: short_id(rng),
            operator_id: short_id(rng),
        }
    }

    fn view(&self, last_login: Option<&str>) -> Value {
        json!({
            "user_uuid": self.id,
            "operator_uuid": self.operator_id,
            "operator_name": "Operateur Exemple",
            "fullname": "Odile Plumet",
            "first_name": "Odile",
            "last_name": "Plumet",
            "email": self.email,
            "cell_phone_number": "0639980000",
            "language": "fr",
            "groups": [3],
            "date_joined": "2019-10-01T08:00:00Z",
            "last_login": last_login,
        })
    }
}

#[derive(Debug)]
pub(super) struct Account {
    user: Arc<User>,
    last_login: Option<String>,
    /// The access tokens, with the time at which each was issued.
    access: BTreeMap<String, Instant>,
    refresh: BTreeSet<String>,
    /// The tokens of the older generation, with the time at which each was issued.
    legacy: BTreeMap<String, Instant>,
    /// How long a token is valid. Measured by the clock of the machine, because clients have no other.
    life: Option<Duration>,
}

impl Account {
    pub(super) fn new(user: Arc<User>, life: Option<Duration>) -> Account {
        let (access, refresh, legacy) = Default::default();
        Account { user, last_login: None, access, refresh, legacy, life }
    }

    pub(super) fn user(&self) -> &Arc<User> {
        &self.user
    }

    fn is_valid(&self, tokens: &BTreeMap<String, Instant>, token: &str) -> bool {
        let issued = tokens.get(token);
        issued.is_some_and(|issued| self.life.is_none_or(|life| issued.elapsed() < life))
    }

    /// Issues tokens. Wrong credentials are a 401 (authentication page, newer edition).
    pub(super) fn obtain(&mut self, body: &Value, generator: &mut Generator) -> Result<Value, ErrorResponse> {
        self.log_in(body, generator)
            .ok_or_else(|| ErrorResponse::new(401, "No active user has these credentials."))?;
        let (access, refresh) = (generator.token(), generator.token());
        self.access.insert(access.clone(), Instant::now());
        self.refresh.insert(refresh.clone());
        Ok(json!({ "access": access, "refresh": refresh, "user": self.view() }))
    }

    /// Issues a new access token. The refresh token stays valid.
    pub(super) fn refresh(
        &mut self,
        body: &Value,
        generator: &mut Generator,
    ) -> Result<Value, ErrorResponse> {
        if !self.refresh.contains(text_at(body, "/refresh").unwrap_or_default()) {
            return Err(ErrorResponse::new(401, "The refresh token is unknown or expired."));
        }
        let access = generator.token();
        self.access.insert(access.clone(), Instant::now());
        Ok(json!({ "access": access }))
    }

    /// Issues a token of the older generation. Wrong credentials are a 400 (authentication page, older edition).
    pub(super) fn obtain_legacy(
        &mut self,
        body: &Value,
        generator: &mut Generator,
    ) -> Result<Value, ErrorResponse> {
        self.log_in(body, generator)
            .ok_or_else(|| ErrorResponse::new(400, "No user has these credentials."))?;
        Ok(self.issue_legacy(generator))
    }

    /// Issues a new token of the older generation for one that has not expired (same page). The number of renewals is
    /// not limited.
    pub(super) fn refresh_legacy(
        &mut self,
        body: &Value,
        generator: &mut Generator,
    ) -> Result<Value, ErrorResponse> {
        if !self.is_valid(&self.legacy, text_at(body, "/token").unwrap_or_default()) {
            return Err(ErrorResponse::new(400, "The token is unknown or expired."));
        }
        Ok(self.issue_legacy(generator))
    }

    pub(super) fn user_view(&self, id: &str) -> Result<Value, ErrorResponse> {
        if id == self.user.id { Ok(self.view()) } else { Err(ErrorResponse::not_found("user")) }
    }

    /// Checks the token of a request. The authentication scheme depends on the generation of the token (both editions
    /// of the page).
    pub(super) fn authenticate(&self, received: &ReceivedRequest) -> Result<(), ErrorResponse> {
        let credentials = received.header("authorization").unwrap_or_default();
        let known = match credentials.split_once(' ') {
            Some(("Bearer", token)) => self.is_valid(&self.access, token),
            Some(("JWT", token)) => self.is_valid(&self.legacy, token),
            _ => false,
        };
        if known { Ok(()) } else { Err(ErrorResponse::new(401, "The token is missing, unknown or expired.")) }
    }

    pub(super) fn expire_tokens(&mut self) {
        self.access.clear();
        self.legacy.clear();
    }

    pub(super) fn expire_refresh_tokens(&mut self) {
        self.refresh.clear();
    }

    /// Checks the credentials. The case of the e-mail address is ignored (changes of version 2.1).
    fn log_in(&mut self, body: &Value, generator: &mut Generator) -> Option<()> {
        let email = text_at(body, "/email").unwrap_or_default();
        let password = text_at(body, "/password").unwrap_or_default();
        let known = email.eq_ignore_ascii_case(&self.user.email) && password == self.user.password;
        known.then(|| self.last_login = Some(generator.stamp()))
    }

    fn issue_legacy(&mut self, generator: &mut Generator) -> Value {
        let token = generator.token();
        self.legacy.insert(token.clone(), Instant::now());
        json!({ "token": token, "user": self.view() })
    }

    fn view(&self) -> Value {
        self.user.view(self.last_login.as_deref())
    }
}
