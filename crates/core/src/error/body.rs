//! The contents of an error body.
//!
//! The pointers of the API's table are tried first. Gateways, frameworks and proxies in front of a supplier respond in formats of
//! their own, and a caller has nothing else to diagnose them by. Parts that the table's pointers do not find are therefore looked
//! up under the names that these formats use: problem details ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457), also with the
//! extensions of ASP.NET), Django REST framework, Spring, FastAPI, OAuth 2 ([RFC 6749,
//! 5.2](https://www.rfc-editor.org/rfc/rfc6749#section-5.2)), and plain text.

use std::borrow::Cow;

use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde_json::{Map, Value};

use super::Detail;
use super::text::{json, plain_text};
use crate::decode::without_mark;
use crate::operation::ErrorShape;

/// Names of the error message, besides the table's pointer. The first one with a text counts.
const MESSAGES: [&str; 12] = [
    "message",
    "detail",
    "error_description",
    "errormessage",
    "error_message",
    "description",
    "faultstring",
    "reason",
    "title",
    "error",
    "fault",
    "cause",
];

/// Names of the list of single errors, besides the table's pointer.
const LISTS: [&str; 10] = [
    "errors",
    "error",
    "detail",
    "details",
    "violations",
    "invalid-params",
    "validationerrors",
    "fielderrors",
    "messages",
    "message",
];

/// Names of the error message in a single error.
const SINGLE_MESSAGES: [&str; 12] = [
    "message",
    "detail",
    "description",
    "reason",
    "msg",
    "errormessage",
    "error_message",
    "error",
    "errors",
    "messages",
    "title",
    "defaultmessage",
];

/// Names of the field in a single error.
const SINGLE_FIELDS: [&str; 8] =
    ["field", "fieldname", "property", "propertypath", "path", "pointer", "name", "loc"];

/// Names of the code in a single error.
const SINGLE_CODES: [&str; 4] = ["code", "errorcode", "error_code", "type"];

/// The maximum number of single errors that are read from undocumented lists.
const MOST_DETAILS: usize = 100;

/// The maximum depth to which lists and objects are searched.
const MOST_DEPTH: usize = 8;

/// The contents of an error body.
#[derive(Default)]
pub(crate) struct ErrorBody {
    pub(crate) message: Option<String>,
    pub(crate) id: Option<String>,
    pub(crate) details: Vec<Detail>,
    /// Whether the table's pointers found something, so that the body comes from the supplier and not from a gateway in front of
    /// it.
    pub(crate) is_documented: bool,
}

impl ErrorBody {
    pub(crate) fn read(status: StatusCode, headers: &HeaderMap, body: &[u8], shape: &ErrorShape) -> Self {
        let media_type = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let media_type = media_type.to_ascii_lowercase();
        let body = without_mark(body);
        match json(body, &media_type) {
            Some(json) => Self::of_json(status, &json, shape),
            None => Self { message: plain_text(body, &media_type), ..Self::default() },
        }
    }

    fn of_json(status: StatusCode, json: &Value, shape: &ErrorShape) -> Self {
        let mut error_body = Self::documented(json, shape);
        match json {
            Value::Object(fields) => error_body.complete(status, fields),
            Value::Array(_) if error_body.details.is_empty() => collect("", json, 0, &mut error_body.details),
            Value::String(text) if error_body.message.is_none() => error_body.message = some_text(text),
            _ => {}
        }
        error_body
    }

    /// Reads the parts that the table's pointers find.
    fn documented(json: &Value, shape: &ErrorShape) -> Self {
        let at = |json: &Value, pointer: &str| match pointer {
            "" => None,
            pointer => json.pointer(pointer).and_then(text),
        };
        let list = if shape.fields.is_empty() { None } else { json.pointer(shape.fields) };
        let elements = list.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        // A blank text explains nothing.
        let message = at(json, shape.message).filter(|text| !text.trim().is_empty());
        let id = at(json, shape.id);
        let mut error_body = Self { message, id, ..Self::default() };
        error_body.is_documented = error_body.message.is_some() || error_body.id.is_some();
        for element in elements {
            let detail = Detail {
                field: at(element, shape.field_name),
                code: at(element, shape.field_code),
                message: at(element, shape.field_message),
                is_documented: false,
            };
            let is_documented = detail != Detail::default();
            error_body.is_documented |= is_documented;
            let detail = if is_documented { detail } else { single(element) };
            error_body.details.push(Detail { is_documented, ..detail });
        }
        error_body
    }

    /// Looks up the parts that the table's pointers did not find under the names that other formats use.
    fn complete(&mut self, status: StatusCode, fields: &Map<String, Value>) {
        if self.message.is_none() {
            self.message = find(fields, &MESSAGES, &message_of);
        }
        if self.details.is_empty() {
            for name in LISTS {
                let Some(list) = get(fields, name) else { continue };
                match list {
                    // Texts at the top level have no field.
                    Value::Array(_) => collect("", list, 0, &mut self.details),
                    Value::Object(inner) if name != "error" => {
                        collect_fields("", inner, 0, &mut self.details)
                    }
                    // An object with a message is one error, whose message has already been read.
                    Value::Object(inner) => {
                        let code = find(inner, &SINGLE_CODES, &text);
                        let single = Detail { code, ..Detail::default() };
                        match ["errors", "details"].iter().find_map(|name| get(inner, name)) {
                            Some(list @ (Value::Array(_) | Value::Object(_))) => {
                                collect("", list, 0, &mut self.details);
                            }
                            _ if single.code.is_some() => self.details.push(single),
                            _ if message_of(list).is_none() => {
                                collect_fields("", inner, 0, &mut self.details);
                            }
                            _ => {}
                        }
                    }
                    _ => {}
                }
                if self.details.len() >= MOST_DETAILS {
                    break;
                }
            }
        }
        let nothing_found = self.message.is_none() && self.details.is_empty() && self.id.is_none();
        // Django REST framework's body for invalid fields has no envelope: `{"phone": ["This field is required."]}`. The body
        // counts as such only if it contains nothing else.
        if nothing_found && status.is_client_error() && fields.values().all(is_texts) {
            collect_fields("", fields, 0, &mut self.details);
        }
        if nothing_found && self.details.is_empty() {
            // An envelope: `{"response": {"message": …}}`.
            self.message = fields.values().filter(|value| value.is_object()).find_map(message_of);
        }
        if self.details.is_empty()
            && let Some(whole) = get(fields, "non_field_errors")
        {
            collect("", whole, 0, &mut self.details);
        }
    }

    /// Returns whether the body contains no explanation.
    pub(crate) fn is_empty(&self) -> bool {
        let says_nothing =
            |detail: &Detail| detail.field.is_none() && detail.code.is_none() && detail.message.is_none();
        self.message.is_none() && self.details.iter().all(says_nothing)
    }

    /// Removes texts that contain a secret which was sent. The raw body still contains them.
    pub(crate) fn redact(&mut self, is_secret: impl Fn(&str) -> bool) {
        let details = self
            .details
            .iter_mut()
            .flat_map(|detail| [&mut detail.field, &mut detail.code, &mut detail.message]);
        for part in details.chain([&mut self.id, &mut self.message]) {
            part.take_if(|text| is_secret(text));
        }
    }
}

/// Returns the text of a string, a number, or a list of these.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Array(list) => {
            let texts: Vec<String> = list.iter().filter_map(text).collect();
            (!texts.is_empty()).then(|| texts.join("; "))
        }
        _ => None,
    }
}

fn some_text(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// Returns the message in a field: a text, or the text in an object.
fn message_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => some_text(text),
        // NestJS: a list of texts.
        Value::Array(_) => text(value),
        Value::Object(inner) => find(inner, &MESSAGES, &|value: &Value| value.as_str().and_then(some_text)),
        _ => None,
    }
}

/// Returns the value with this name, ignoring the case of letters.
fn get<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    fields
        .get(name)
        .or_else(|| fields.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value))
}

/// Returns the value of the first of these names that has one.
fn find(
    fields: &Map<String, Value>,
    names: &[&str],
    read: &dyn Fn(&Value) -> Option<String>,
) -> Option<String> {
    names.iter().find_map(|name| get(fields, name).and_then(read))
}

/// Reads a single error in any of the known formats.
fn single(value: &Value) -> Detail {
    match value {
        Value::Object(fields) => {
            let field = find(fields, &SINGLE_FIELDS, &|value| match value {
                // FastAPI's `loc`: `["body", "name"]`.
                Value::Array(parts) => {
                    let parts: Vec<String> = parts.iter().filter_map(text).collect();
                    (!parts.is_empty()).then(|| parts.join("."))
                }
                value => text(value),
            });
            // JSON:API's `source.pointer`.
            let pointer =
                || get(fields, "source").and_then(|source| source.pointer("/pointer")).and_then(text);
            Detail {
                field: field.or_else(pointer),
                code: find(fields, &SINGLE_CODES, &text),
                message: find(fields, &SINGLE_MESSAGES, &text),
                is_documented: false,
            }
        }
        value => Detail { message: text(value), ..Detail::default() },
    }
}

/// Collects the single errors in the value of a field.
fn collect(field: &str, value: &Value, depth: usize, details: &mut Vec<Detail>) {
    if depth > MOST_DEPTH || details.len() >= MOST_DETAILS {
        return;
    }
    let named = || (!field.is_empty()).then(|| field.to_owned());
    let is_nested = |one: &Value| one.is_object() || one.is_array();
    match value {
        // The texts in the list of a field are one error. Without a field, each text is a separate error.
        Value::Array(list) if field.is_empty() || list.iter().any(is_nested) => {
            list.iter().for_each(|one| collect(field, one, depth + 1, details));
        }
        Value::Object(fields) => {
            let mut detail = single(value);
            if detail.message.is_none() && detail.code.is_none() {
                return collect_fields(field, fields, depth + 1, details);
            }
            detail.field = detail.field.or_else(named);
            details.push(detail);
        }
        value => {
            let one = text(value);
            let one = one.map(|text| Detail { field: named(), message: Some(text), ..Detail::default() });
            details.extend(one);
        }
    }
}

/// Collects the single errors of an object whose keys are field names.
fn collect_fields(field: &str, fields: &Map<String, Value>, depth: usize, details: &mut Vec<Detail>) {
    for (name, value) in fields {
        let name = match (field, name.as_str()) {
            // The name that Django REST framework and others use for errors of the whole object.
            ("", "non_field_errors" | "") => Cow::Borrowed(""),
            ("", name) => Cow::Borrowed(name),
            (field, name) => Cow::Owned(format!("{field}.{name}")),
        };
        collect(&name, value, depth, details);
    }
}

/// Returns whether a value is a text, or a list of texts only.
fn is_texts(value: &Value) -> bool {
    match value {
        Value::String(_) => true,
        Value::Array(list) => !list.is_empty() && list.iter().all(Value::is_string),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: ErrorShape = ErrorShape {
        message: "/cause",
        id: "",
        fields: "",
        field_name: "",
        field_code: "",
        field_message: "",
    };
    const FULL: ErrorShape = ErrorShape {
        message: "/error",
        id: "/apirequest_uuid",
        fields: "/details",
        field_name: "/field",
        field_code: "",
        field_message: "/errors",
    };

    fn said_as(media_type: &'static str, body: &[u8], shape: &ErrorShape) -> ErrorBody {
        let mut headers = HeaderMap::new();
        if !media_type.is_empty() {
            headers.insert(CONTENT_TYPE, media_type.parse().unwrap());
        }
        ErrorBody::read(StatusCode::BAD_REQUEST, &headers, body, shape)
    }

    fn error_body(body: &str) -> ErrorBody {
        said_as("application/json", body.as_bytes(), &NONE)
    }

    /// Formats each error as `field/code/message`.
    fn shown(error_body: &ErrorBody) -> Vec<String> {
        let part = |part: &Option<String>| part.clone().unwrap_or_default();
        let shown = |one: &Detail| format!("{}/{}/{}", part(&one.field), part(&one.code), part(&one.message));
        error_body.details.iter().map(shown).collect()
    }

    #[test]
    fn messages_in_other_places_than_the_table_s() {
        for (body, message) in [
            (r#"{"detail":"Not found."}"#, "Not found."),
            (
                r#"{"type":"about:blank","title":"Not possible","detail":"The frame is full","status":400}"#,
                "The frame is full",
            ),
            (r#"{"title":"Not possible","status":400}"#, "Not possible"),
            (r#"{"statusCode":400,"message":["x","y"],"error":"Bad Request"}"#, "x; y"),
            (r#"{"message":"Out of call volume"}"#, "Out of call volume"),
            (r#"{"Message":"Out of call volume"}"#, "Out of call volume"),
            (r#"{"error":"It is full"}"#, "It is full"),
            (r#"{"error":{"message":"It is full","code":"full"}}"#, "It is full"),
            (
                r#"{"error":"invalid_grant","error_description":"The account is locked"}"#,
                "The account is locked",
            ),
            (r#"{"status":400,"error":"Bad Request","message":"It is full","path":"/orders"}"#, "It is full"),
            (r#"{"fault":{"faultstring":"Quota exceeded","detail":{"errorcode":"q"}}}"#, "Quota exceeded"),
            (r#""It is full""#, "It is full"),
            ("{\"detail\":\"It is\nfull\"}", "It is full"),
            (r#"{"detail":"It is \ud83d full"}"#, "It is \u{fffd} full"),
            (r#"{"detail":"It is \ud83d\ude00","x":"\ud800"}"#, "It is \u{1f600}"),
            (r#"{"detail":"C:\full"}"#, "C:\u{c}ull"),
            (r#"{"detail":"C:\path"}"#, "C:\\path"),
            ("{\"detail\":\"It is full\"}\n<br>Warning", "It is full"),
            ("\u{feff}{\"detail\":\"It is full\"}", "It is full"),
            (r#"{"cause":"The table's","detail":"not this"}"#, "The table's"),
            (r#"{"cause":null,"detail":"It is full"}"#, "It is full"),
            (r#"{"cause":" ","detail":"It is full"}"#, "It is full"),
            (r#"{"response":{"message":"It is full"}}"#, "It is full"),
        ] {
            assert_eq!(error_body(body).message.as_deref(), Some(message), "{body}");
        }
    }

    #[test]
    fn single_errors_in_other_places_than_the_table_s() {
        for (body, details) in [
            (
                r#"{"title":"Validation failed","errors":{"BuildingName":["missing"]}}"#,
                &["BuildingName//missing"][..],
            ),
            (r#"{"errors":{"a":["x","y"],"b":"z"}}"#, &["a//x; y", "b//z"]),
            (r#"{"errors":["x","y"]}"#, &["//x", "//y"]),
            (r#"{"errors":[{"field":"a","code":7,"message":"x"},{"detail":"y"}]}"#, &["a/7/x", "//y"]),
            (r#"{"errors":[{"source":{"pointer":"/data/a"},"title":"x"}]}"#, &["/data/a//x"]),
            (r#"{"detail":[{"loc":["body","a"],"msg":"x","type":"missing"}]}"#, &["body.a/missing/x"]),
            (r#"{"invalid-params":[{"name":"a","reason":"x"}]}"#, &["a//x"]),
            (r#"{"violations":[{"propertyPath":"a","message":"x"}]}"#, &["a//x"]),
            (r#"{"non_field_errors":["x"]}"#, &["//x"]),
            (r#"{"non_field_errors":["x"],"phone":["y"]}"#, &["//x", "phone//y"]),
            (r#"{"non_field_errors":["x"],"status":400}"#, &["//x"]),
            (r#"{"phone":["x","y"],"name":"z"}"#, &["name//z", "phone//x; y"]),
            (r#"{"errors":{"customer":{"phone":["x"]}}}"#, &["customer.phone//x"]),
            (r#"{"error":{"code":"full","message":"It is full"}}"#, &["/full/"]),
            (r#"["x","y"]"#, &["//x", "//y"]),
            (r#"{"message":{"phone":["x"]}}"#, &["phone//x"]),
            (r#"{"errors":[["x"],{"phone":["y"]}]}"#, &["//x", "phone//y"]),
            (r#"[{"field":"a","message":"x"}]"#, &["a//x"]),
        ] {
            let error_body = error_body(body);
            assert_eq!(shown(&error_body), details, "{body}");
            assert!(
                !error_body.details.iter().any(|detail| detail.is_documented) && !error_body.is_documented,
                "{body}"
            );
        }
        for body in [r#"{"a":{"b":1}}"#, r#"{"a":["x"],"b":7}"#, r#"{"a":[]}"#, "{}", "[]", "7", "null"] {
            assert!(error_body(body).details.is_empty(), "{body}");
        }
        let other_status =
            ErrorBody::read(StatusCode::BAD_GATEWAY, &HeaderMap::new(), br#"{"a":["x"]}"#, &NONE);
        assert!(other_status.details.is_empty(), "only a refusal is about fields");
        let many = format!(r#"{{"errors":[{}"x"]}}"#, r#""x","#.repeat(1000));
        assert_eq!(error_body(&many).details.len(), MOST_DETAILS);
    }

    #[test]
    fn the_table_s_places_come_first() {
        let body = r#"{"error":"E","message":"M","apirequest_uuid":"u","details":[{"field":"f","errors":["x","y"]}],"errors":["no"]}"#;
        let documented = said_as("application/json", body.as_bytes(), &FULL);
        assert_eq!((documented.message.as_deref(), documented.id.as_deref()), (Some("E"), Some("u")));
        assert_eq!(shown(&documented), ["f//x; y"]);
        assert!(documented.details[0].is_documented && documented.is_documented);
        // An element with an undocumented format is read like those of other formats.
        let mixed = said_as("", br#"{"error":{"message":"M"},"details":["x",{"field":"f"}]}"#, &FULL);
        assert_eq!(
            (mixed.message.as_deref(), shown(&mixed)),
            (Some("M"), vec!["//x".to_owned(), "f//".to_owned()])
        );
        assert_eq!(mixed.details.iter().map(|one| one.is_documented).collect::<Vec<_>>(), [false, true]);
    }

    #[test]
    fn bytes_that_are_no_utf_8_cost_themselves() {
        let body =
            b"\xef\xbb\xbf{\"error\":\"refus\xe9\",\"details\":[{\"field\":\"a\",\"errors\":[\"\xe9\"]}]}";
        let documented = said_as("", body, &FULL);
        assert_eq!(documented.message.as_deref(), Some("refus\u{fffd}"));
        assert_eq!(shown(&documented), ["a//\u{fffd}"]);
        assert!(documented.is_documented && documented.details[0].is_documented);
        let declared = said_as("Application/JSON; Charset=ISO-8859-1", body, &FULL);
        assert_eq!(declared.message.as_deref(), Some("refusé"));
        assert_eq!(
            said_as("", b"\xef\xbb\xbfrefus\xe9 ici", &NONE).message.as_deref(),
            Some("refus\u{fffd} ici")
        );
    }
}
