//! A core error as a JavaScript `Error` with `code`, `syscall` and `errno`.

use napi::bindgen_prelude::{JsObjectValue, Object};
use napi::{Env, Error, JsError, JsValue};

/// Makes results of the core throwable.
pub(crate) trait OrThrow<T> {
    /// The value, or the error as JavaScript will see it.
    fn or_throw(self, env: &Env) -> napi::Result<T>;
}

impl<T> OrThrow<T> for pagecast::Result<T> {
    fn or_throw(self, env: &Env) -> napi::Result<T> {
        self.map_err(|error| to_js(env, &error))
    }
}

fn to_js(env: &Env, error: &pagecast::Error) -> Error {
    let plain = Error::new(error.code().as_str().to_owned(), error.message().to_owned());
    let build = || -> napi::Result<Error> {
        let mut object: Object<'_> = JsError::from(plain).into_unknown(*env).coerce_to_object()?;
        if let Some(syscall) = error.syscall() {
            object.set_named_property("syscall", syscall)?;
        }
        if let Some(errno) = error.errno() {
            object.set_named_property("errno", errno)?;
        }
        Ok(Error::from(object.to_unknown()))
    };
    build().unwrap_or_else(|failure| failure)
}
