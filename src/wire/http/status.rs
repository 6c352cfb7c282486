//! HTTP status codes.

/// The code and the reason of a status line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// For programs.
    pub code: u16,
    /// For people.
    pub reason: &'static str,
}

macro_rules! statuses {
    ($($name:ident $code:literal $reason:literal)*) => {
        /// The statuses that are used.
        #[allow(missing_docs)] // their reasons say what they mean
        impl Status {
            $(pub const $name: Self = Self { code: $code, reason: $reason };)*
        }
    };
}

statuses! {
    OK 200 "OK"
    NO_CONTENT 204 "No Content"
    SEE_OTHER 303 "See Other"
    BAD_REQUEST 400 "Bad Request"
    UNAUTHORIZED 401 "Unauthorized"
    FORBIDDEN 403 "Forbidden"
    NOT_FOUND 404 "Not Found"
    METHOD_NOT_ALLOWED 405 "Method Not Allowed"
    REQUEST_TIMEOUT 408 "Request Timeout"
    LENGTH_REQUIRED 411 "Length Required"
    CONTENT_TOO_LARGE 413 "Content Too Large"
    TARGET_TOO_LONG 414 "URI Too Long"
    UNSUPPORTED_TYPE 415 "Unsupported Media Type"
    MISDIRECTED 421 "Misdirected Request"
    TOO_MANY_REQUESTS 429 "Too Many Requests"
    HEADERS_TOO_LARGE 431 "Request Header Fields Too Large"
    UNAVAILABLE 503 "Service Unavailable"
    VERSION_NOT_SUPPORTED 505 "HTTP Version Not Supported"
}
