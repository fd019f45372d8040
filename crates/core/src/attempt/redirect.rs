use reqwest::header::LOCATION;
use reqwest::{Method, Response, Url};

/// Whether a response is a redirect, and where it leads.
pub(super) enum Redirect {
    /// The response is not a redirect.
    None,
    To(Url),
    Refused(&'static str),
}

impl Redirect {
    /// Reads a response from `url`. A redirect is followed within the same origin only, and only if it keeps the request's
    /// method.
    pub(super) fn of(method: &Method, url: &Url, response: &Response) -> Self {
        let keeps_method = match response.status().as_u16() {
            301..=303 => false,
            307 | 308 => true,
            _ => return Self::None,
        };
        if !keeps_method && *method != Method::GET {
            return Self::Refused(
                "the server redirects a changing request to be read elsewhere: check the base address",
            );
        }
        let location = response.headers().get(LOCATION).and_then(|location| location.to_str().ok());
        match location.and_then(|location| url.join(location).ok()) {
            None => Self::Refused("the server redirects without saying where: check the base address"),
            Some(target) if target.origin() != url.origin() => Self::Refused(
                "the server redirects to another origin, where no credentials are sent: check the base address",
            ),
            Some(target) => Self::To(target),
        }
    }
}
