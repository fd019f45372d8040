//! The table of contracts: each fault with the steps of the server and what both sides observe.

use lastmile_tests::Then::*;
use lastmile_tests::{answer, json};

use crate::calls::Call;
use crate::calls::Ends::*;
use crate::calls::{done, drafted};
use crate::{fifty_times, in_a_hurry, in_one_attempt, once, second, second_fifty_times};

contracts! {
    // Connection failures.

    /// The reset arrives before or after the client has written, so the client may or may not know that nothing was
    /// sent.
    reset_on_accept: fifty_times [ResetUnread] {
        Create   => (NotSent | Indeterminate, None, 1..=4, 0),
        Read     => (NotSent | Indeterminate, None, 4, 0),
        Delete   => (NotSent | Indeterminate, None, 4, 0),
    }
    closed_on_accept: fifty_times [CloseUnread] {
        Create   => (NotSent | Indeterminate, None, 1..=4, 0),
        Read     => (NotSent | Indeterminate, None, 4, 0),
        Delete   => (NotSent | Indeterminate, None, 4, 0),
    }
    /// The request is repeated only if it certainly was not sent.
    reset_on_accept_once: fifty_times [ResetUnread, Answer(last())] {
        Create   => (Answered, _, _, 1) | (Indeterminate, None, 1, 0),
        Read     => (Answered, _, _, 1),
        Change   => (Answered, _, _, 1),
    }
    reset_in_the_request_body: once [ResetHalfway] {
        Create   => (Indeterminate, None, 1, 0),
        Activate => (Indeterminate, None, 1, 0),
        Submit   => (Indeterminate, None, 1, 0),
        Change   => (Indeterminate, None, 4, 0),
    }
    reset_after_the_request: once [Reset] {
        Create   => (Indeterminate, None, 1, 1),
        Activate => (Indeterminate, None, 1, 1),
        Draft    => (Indeterminate, None, 1, 1),
        Submit   => (Indeterminate, None, 1, 1),
        Read     => (Indeterminate, None, 4, 4),
        List     => (Indeterminate, None, 4, 4),
        Delete   => (Indeterminate, None, 4, 4),
        Change   => (Indeterminate, None, 4, 4),
    }
    reset_after_the_request_once: once [Reset, AnswerAndKeep(ok())] {
        Create   => (Indeterminate, None, 1, 1),
        Read     => (Answered, _, _, 2),
        List     => (Answered, _, _, 2),
        Delete   => (Answered, _, _, 2),
        Change   => (Answered, _, _, 2),
    }
    closed_before_the_response: once [Close] {
        Create   => (Indeterminate, None, 1, 1),
        Activate => (Indeterminate, None, 1, 1),
        Submit   => (Indeterminate, None, 1, 1),
        Read     => (Indeterminate, None, 4, 4),
        Delete   => (Indeterminate, None, 4, 4),
    }
    closed_in_the_response_head: once [Answer("HTTP/1.1 200 OK\r\ncontent-ty")] {
        Create   => (Indeterminate, None, 1, 1),
        Submit   => (Indeterminate, None, 1, 1),
        Read     => (Indeterminate, None, 4, 4),
        Delete   => (Indeterminate, None, 4, 4),
    }
    closed_in_the_response_body: once [Answer(CUT)] {
        Create   => (Indeterminate, Some(200), 1, 1),
        Submit   => (Indeterminate, Some(200), 1, 1),
        Read     => (Indeterminate, Some(200), 4, 4),
        Delete   => (Indeterminate, Some(200), 4, 4),
        Change   => (Indeterminate, Some(200), 4, 4),
    }
    /// A reset may overtake the bytes that were sent before it.
    reset_in_the_response_body: fifty_times [AnswerAndReset(CUT)] {
        Create   => (Indeterminate, None | Some(200), 1, 1),
    }
    closed_in_an_error_body: once [Answer("HTTP/1.1 400 Bad\r\ncontent-length: 100\r\n\r\n{\"message\": \"")] {
        Create   => (Rejected, Some(400), 1, 1),
        Read     => (Rejected, Some(400), 1, 1),
        List     => (Rejected, Some(400), 1, 1),
        Delete   => (Rejected, Some(400), 1, 1),
    }

    // Responses that do not arrive in time.

    no_response_until_the_deadline: in_a_hurry [Hang] {
        Create   => (Indeterminate, None, 1, 1),
        Activate => (Indeterminate, None, 1, 1),
        Submit   => (Indeterminate, None, 1, 1),
        Read     => (Indeterminate, None, 2, 1..=2),
        List     => (Indeterminate, None, 2, 1..=2),
        Delete   => (Indeterminate, None, 2, 1..=2),
    }
    a_response_without_its_body: in_a_hurry [AnswerAndHang(CUT)] {
        Create   => (Indeterminate, Some(200), 1, 1),
        Read     => (Indeterminate, Some(200), 2, 1..=2),
        Delete   => (Indeterminate, Some(200), 2, 1..=2),
    }
    an_error_response_without_its_body: in_one_attempt [AnswerAndHang("HTTP/1.1 403 No\r\ncontent-length: 100\r\n\r\n")] {
        Create   => (Rejected, Some(403), 1, 1),
        Read     => (Rejected, Some(403), 1, 1),
        List     => (Rejected, Some(403), 1, 1),
        Delete   => (Rejected, Some(403), 1, 1),
    }
    a_slow_head: in_a_hurry [Drip("HTTP/1.1 200 OK\r\nx-slow: ", "a")] {
        Create   => (Indeterminate, None, 1, 1),
        Read     => (Indeterminate, None, 2, 1..=2),
        List     => (Indeterminate, None, 2, 1..=2),
    }
    a_slow_body: in_a_hurry [Drip(CUT, " ")] {
        Create   => (Indeterminate, Some(200), 1, 1),
        Read     => (Indeterminate, Some(200), 2, 1..=2),
    }
    endless_interim_responses: in_a_hurry [Drip("", "HTTP/1.1 102 Processing\r\n\r\n")] {
        Create   => (Indeterminate, None, 1, 1),
        Read     => (Indeterminate, None, 2, 1..=2),
    }

    // Responses that cannot be used.

    not_http: once [Answer("220 mail.sp.example ready\r\n")] {
        Create   => (Indeterminate, None, 1, 1),
        Read     => (Indeterminate, None, 4, 4),
    }
    an_endless_head: once [Flood("HTTP/1.1 200 OK\r\n", "x-filler: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n")] {
        Create   => (Indeterminate, None, 1, 1),
        Read     => (Indeterminate, None, 4, 4),
    }
    an_endless_header: once [Flood("HTTP/1.1 200 OK\r\nx-filler: ", "a")] {
        Create   => (Indeterminate, None, 1, 1),
        Read     => (Indeterminate, None, 4, 4),
    }
    truncated_json: once [AnswerAndKeep(json("200 OK", r#"{"id": "1", "name": "#))] {
        Create   => (Decode, Some(200), 1, 1),
        Activate => (Decode, Some(200), 1, 1),
        Submit   => (Decode, Some(200), 1, 1),
        Read     => (Decode, Some(200), 1, 1),
        Change   => (Decode, Some(200), 1, 1),
    }
    malformed_json: once [AnswerAndKeep(json("200 OK", "{'id': 1}"))] {
        Create   => (Decode, Some(200), 1, 1),
        Submit   => (Decode, Some(200), 1, 1),
        Read     => (Decode, Some(200), 1, 1),
    }
    /// A truncated body also ends the connection.
    a_content_length_that_is_too_short: once [AnswerAndKeep(SHORT)] {
        Create   => (Decode, Some(200), 1, 1),
        Read     => (Decode, Some(200), 1, 1),
    }
    an_html_page_with_status_200: once [AnswerAndKeep(page("200 OK"))] {
        Create   => (Decode, Some(200), 1, 1),
        Activate => (Decode, Some(200), 1, 1),
        Submit   => (Decode, Some(200), 1, 1),
        Read     => (Decode, Some(200), 1, 1),
        Delete   => (Decode, Some(200), 1, 1),
    }
    an_html_page_with_status_400: once [AnswerAndKeep(page("400 Bad Request"))] {
        Create   => (Rejected, Some(400), 1, 1),
        Submit   => (Rejected, Some(400), 1, 1),
        Read     => (Rejected, Some(400), 1, 1),
        Delete   => (Rejected, Some(400), 1, 1),
    }
    an_html_page_with_status_502: once [AnswerAndKeep(page("502 Bad Gateway"))] {
        Create   => (Indeterminate, Some(502), 1, 1),
        Submit   => (Indeterminate, Some(502), 1, 1),
        Read     => (Indeterminate, Some(502), 4, 4),
        Delete   => (Indeterminate, Some(502), 4, 4),
    }
    json_with_another_content_type: once [AnswerAndKeep(answer("200 OK\r\ncontent-type: text/plain", &done("1")))] {
        Create   => (Answered, _, _, 1),
        Activate => (Answered, _, _, 1),
        Submit   => (Answered, _, _, 1),
        Read     => (Answered, _, _, 1),
        Change   => (Answered, _, _, 1),
    }
    an_empty_body_where_json_is_documented: once [AnswerAndKeep(json("200 OK", ""))] {
        Create   => (Decode, Some(200), 1, 1),
        Activate => (Decode, Some(200), 1, 1),
        Submit   => (Decode, Some(200), 1, 1),
        Read     => (Decode, Some(200), 1, 1),
        Change   => (Decode, Some(200), 1, 1),
        Delete   => (Answered, _, _, 1),
    }
    status_204_where_json_is_documented: once [AnswerAndKeep("HTTP/1.1 204 No Content\r\n\r\n")] {
        Create   => (Decode, Some(204), 1, 1),
        Read     => (Decode, Some(204), 1, 1),
        Delete   => (Answered, _, _, 1),
    }
    interim_responses_before_the_response: once [AnswerAndKeep(interim())] {
        Create   => (Answered, _, _, 1),
        Submit   => (Answered, _, _, 1),
        Read     => (Answered, _, _, 1),
        List     => (Answered, _, _, 1),
    }

    // Statuses.

    bad_request: once [AnswerAndKeep(json("400 Bad Request", r#"{"message": "no"}"#))] {
        Create   => (Rejected, Some(400), 1, 1),
        Activate => (Rejected, Some(400), 1, 1),
        Submit   => (Rejected, Some(400), 1, 1),
        Read     => (Rejected, Some(400), 1, 1),
        Delete   => (Rejected, Some(400), 1, 1),
    }
    unauthorized: once [AnswerAndKeep(answer("401 Unauthorized", ""))] {
        Create   => (Rejected, Some(401), 1, 1),
        Activate => (Rejected, Some(401), 1, 1),
        Read     => (Rejected, Some(401), 1, 1),
    }
    request_timeout: once [Answer(answer("408 Request Timeout\r\nconnection: close", ""))] {
        Create   => (Indeterminate, Some(408), 1, 1),
        Submit   => (Indeterminate, Some(408), 1, 1),
        Read     => (Indeterminate, Some(408), 4, 4),
        Delete   => (Indeterminate, Some(408), 4, 4),
    }
    too_many_requests: once [AnswerAndKeep(answer("429 Too Many Requests", ""))] {
        Create   => (Throttled, Some(429), 1, 1),
        Activate => (Throttled, Some(429), 1, 1),
        Submit   => (Throttled, Some(429), 1, 1),
        Read     => (Throttled, Some(429), 4, 4),
        Delete   => (Throttled, Some(429), 4, 4),
    }
    server_error: once [AnswerAndKeep(json("500 Internal Server Error", r#"{"message": "oh"}"#))] {
        Create   => (Indeterminate, Some(500), 1, 1),
        Activate => (Indeterminate, Some(500), 1, 1),
        Submit   => (Indeterminate, Some(500), 1, 1),
        Read     => (Indeterminate, Some(500), 4, 4),
        List     => (Indeterminate, Some(500), 4, 4),
        Delete   => (Indeterminate, Some(500), 4, 4),
    }
    not_implemented: once [AnswerAndKeep(answer("501 Not Implemented", ""))] {
        Create   => (Rejected, Some(501), 1, 1),
        Read     => (Rejected, Some(501), 1, 1),
        Delete   => (Rejected, Some(501), 1, 1),
    }
    service_unavailable: once [AnswerAndKeep(answer("503 Service Unavailable", ""))] {
        Create   => (Indeterminate, Some(503), 1, 1),
        Submit   => (Indeterminate, Some(503), 1, 1),
        Read     => (Indeterminate, Some(503), 4, 4),
        Delete   => (Indeterminate, Some(503), 4, 4),
    }
    switching_protocols: once [AnswerAndHang("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n")] {
        Create   => (Indeterminate, Some(101), 1, 1),
        Read     => (Rejected, Some(101), 1, 1),
    }
    multiple_choices: once [AnswerAndKeep(answer("300 Multiple Choices", ""))] {
        Create   => (Indeterminate, Some(300), 1, 1),
        Read     => (Rejected, Some(300), 1, 1),
    }
    not_modified: once [AnswerAndKeep("HTTP/1.1 304 Not Modified\r\n\r\n")] {
        Create   => (Indeterminate, Some(304), 1, 1),
        Read     => (Rejected, Some(304), 1, 1),
        // The request was not conditional.
        List     => (Rejected, Some(304), 1, 1),
    }

    // Over several attempts, a changing call has the least certain of their outcomes. The error carries the last
    // response.

    a_rejection_after_a_reset: once [Reset, AnswerAndKeep(answer("400 Bad Request", ""))] {
        Change   => (Indeterminate, Some(400), 2, 2),
        Delete   => (Indeterminate, Some(400), 2, 2),
        Read     => (Rejected, Some(400), 2, 2),
    }
    not_found_after_a_server_error: once [AnswerAndKeep(answer("503 Busy", "")), AnswerAndKeep(answer("404 None", ""))] {
        Change   => (Indeterminate, Some(404), 2, 2),
        Delete   => (Indeterminate, Some(404), 2, 2),
        Read     => (Rejected, Some(404), 2, 2),
    }
    reset_on_connecting_after_a_reset: fifty_times [Reset, ResetUnread] {
        Delete   => (Indeterminate, None, 4, 1),
        Read     => (Indeterminate, None, 4, 1),
    }
    closed_after_a_server_error: once [Answer(answer("503 Busy", "")), Close] {
        Delete   => (Indeterminate, Some(503), 4, 4),
    }
    an_undecodable_response_after_a_reset: once [Reset, AnswerAndKeep(page("200 OK"))] {
        Change   => (Decode, Some(200), 2, 2),
    }

    // A call after an earlier one left a connection in the pool. Only the later call is observed. Calls that are sent
    // once use a connection of their own (see pool.rs).

    /// The client notices the close in time and opens another connection, or writes to a connection that is no
    /// longer read.
    closed_when_idle: second_fifty_times [AnswerAndKeep(ok()), CloseUnread, Answer(last())] {
        Read     => (Answered, _, _, 1),
        Change   => (Answered, _, _, 1),
    }
    reset_when_idle: second_fifty_times [AnswerAndKeep(ok()), ResetUnread, Answer(last())] {
        Read     => (Answered, _, _, 1),
        Change   => (Answered, _, _, 1),
    }
    closed_upon_the_second_request: second [AnswerAndKeep(ok()), Close, AnswerAndKeep(ok())] {
        Create   => (Indeterminate, None, 1, 1),
        Read     => (Answered, _, _, 2),
        Change   => (Answered, _, _, 2),
    }
    reset_upon_the_second_request: second [AnswerAndKeep(ok()), Reset, AnswerAndKeep(ok())] {
        Create   => (Indeterminate, None, 1, 1),
        Read     => (Answered, _, _, 2),
        Change   => (Answered, _, _, 2),
    }
    /// Some proxies close idle connections in this way.
    told_408_when_idle: second_fifty_times
        [AnswerAndKeep(ok()), SpeakUnread("HTTP/1.0 408 Request Time-out\r\n\r\n"), Answer(last())]
    {
        Read     => (Answered, _, _, 1),
    }
    two_responses_to_one_request: second_fifty_times [AnswerAndKeep(twice()), Answer(last())] {
        Read     => (Answered, _, _, 1),
    }

    // Redirects. They are followed only within the origin, and never such that the request changes.

    /// The status says that the resource is elsewhere, so nothing was done here.
    moved_301: once [AnswerAndKeep(to("301 Moved Permanently", "/elsewhere")), AnswerAndKeep(ok())] {
        Create   => (Rejected, Some(301), 1, 1),
        Activate => (Rejected, Some(301), 1, 1),
        Submit   => (Rejected, Some(301), 1, 1),
        Delete   => (Rejected, Some(301), 1, 1),
        Read     => (Answered, _, _, 2),
        List     => (Answered, _, _, 2),
    }
    /// Many servers send this status after they carried out the request.
    found_302: once [AnswerAndKeep(to("302 Found", "/elsewhere")), AnswerAndKeep(ok())] {
        Create   => (Indeterminate, Some(302), 1, 1),
        Submit   => (Indeterminate, Some(302), 1, 1),
        Delete   => (Answered, _, _, 2),
        Read     => (Answered, _, _, 2),
    }
    see_other_303: once [AnswerAndKeep(to("303 See Other", "/elsewhere")), AnswerAndKeep(ok())] {
        Create   => (Indeterminate, Some(303), 1, 1),
        Activate => (Indeterminate, Some(303), 1, 1),
        Read     => (Answered, _, _, 2),
    }
    redirected_307: once [AnswerAndKeep(to("307 Temporary Redirect", "/elsewhere")), AnswerAndKeep(ok())] {
        Create   => (Answered, _, _, 2),
        Submit   => (Answered, _, _, 2),
        Delete   => (Answered, _, _, 2),
        Read     => (Answered, _, _, 2),
    }
    moved_308: once [AnswerAndKeep(to("308 Permanent Redirect", "/elsewhere")), AnswerAndKeep(ok())] {
        Create   => (Answered, _, _, 2),
        Activate => (Answered, _, _, 2),
        Read     => (Answered, _, _, 2),
    }
    redirected_and_reset: once [AnswerAndKeep(to("307 Temporary Redirect", "/elsewhere")), Reset] {
        Create   => (Indeterminate, None, 1, 2),
    }
    endless_307_redirects: once [AnswerAndKeep(to("307 Temporary Redirect", "/here"))] {
        Create   => (Rejected, Some(307), 1, 6),
        Read     => (Rejected, Some(307), 1, 6),
        Delete   => (Rejected, Some(307), 1, 6),
    }
    endless_302_redirects: once [AnswerAndKeep(to("302 Found", "/here"))] {
        Create   => (Indeterminate, Some(302), 1, 1),
        Read     => (Rejected, Some(302), 1, 6),
        List     => (Rejected, Some(302), 1, 6),
    }
    moved_308_without_a_location: once [AnswerAndKeep(answer("308 Permanent Redirect", ""))] {
        Create   => (Rejected, Some(308), 1, 1),
        Read     => (Rejected, Some(308), 1, 1),
    }
    found_302_without_a_location: once [AnswerAndKeep(answer("302 Found", ""))] {
        Create   => (Indeterminate, Some(302), 1, 1),
        Read     => (Rejected, Some(302), 1, 1),
    }

    // Rejected tokens (the server issues as many as requested). A request whose token was rejected had no effect.

    a_rejected_token: once [AnswerAndKeep(answer("401 Unauthorized", "")), AnswerAndKeep(ok())] {
        Submit   => (Answered, _, _, 2),
        Order    => (Answered, _, _, 2),
    }
    a_rejected_token_of_a_draft: once [AnswerAndKeep(answer("401 Unauthorized", "")), AnswerAndKeep(json("200 OK", &drafted()))] {
        Draft    => (Answered, _, _, 2),
    }
    every_token_rejected: once [AnswerAndKeep(answer("401 Unauthorized", ""))] {
        Submit   => (Rejected, Some(401), 2, 2),
        Draft    => (Rejected, Some(401), 2, 2),
        Order    => (Rejected, Some(401), 2, 2),
    }
    reset_after_a_rejected_token: once [AnswerAndKeep(answer("401 Unauthorized", "")), Reset] {
        Submit   => (Indeterminate, Some(401), 2, 2),
        Draft    => (Indeterminate, Some(401), 2, 2),
        Order    => (Indeterminate, Some(401), 4, 4),
    }

    // ON-API may respond to an order with its location. The order is read there, and is placed whether that read
    // succeeds or not.

    created_with_a_location: once [AnswerAndKeep(created()), AnswerAndKeep(ok())] {
        Activate => (Answered, _, _, 2),
    }
    created_with_a_location_and_reset: once [AnswerAndKeep(created()), Reset] {
        Activate => (Decode, Some(201), 1, 5),
    }
}

/// A truncated response.
pub const CUT: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n{\"id\": ";

const SHORT: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{\"id\": \"1\"}";

/// Returns a response that every call but [`Call::Draft`] accepts.
pub fn ok() -> &'static str {
    json("200 OK", &done("1"))
}

/// Returns the same response, which also closes its connection.
fn last() -> &'static str {
    json("200 OK\r\nconnection: close", &done("1"))
}

fn page(status: &str) -> &'static str {
    answer(&format!("{status}\r\ncontent-type: text/html"), "<html>Ankeborg gateway</html>")
}

fn interim() -> &'static str {
    let hints = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </style.css>\r\n\r\n";
    format!("{hints}{}", ok()).leak()
}

/// Returns a response, followed by an unrequested one.
fn twice() -> &'static str {
    format!("{}{}", ok(), json("200 OK", &done("stranger"))).leak()
}

fn to(status: &str, place: &str) -> &'static str {
    answer(&format!("{status}\r\nlocation: {place}"), "")
}

fn created() -> &'static str {
    answer("201 Created\r\nlocation: /orders/1", "")
}
