//! Sessions with the function library.

use codeanatomy_session::{RuntimeProfile, Session, UdfSettings};
use codeanatomy_udf::{Notice, Platform, PlatformOptions};
use codeanatomy_vocab::{Result, UnixMillis};

/// Makes the session of a run: with the settings of the profile, and with the functions and planners
/// that these let in.
///
/// # Errors
///
/// Those of [`Session::build`], and those of
/// [`register_context`](codeanatomy_udf::Platform::register_context): functions whose names meet, and
/// planners that there are not.
pub fn open_session(profile: &RuntimeProfile, run_time: UnixMillis) -> Result<Session> {
    open_session_with(profile, run_time, |platform| platform).map(|(session, _)| session)
}

/// Like [`open_session`], with a chance to add libraries and rewrites, and with what stood in their
/// way.
///
/// # Errors
///
/// As [`open_session`].
pub fn open_session_with(
    profile: &RuntimeProfile,
    run_time: UnixMillis,
    extend: impl FnOnce(Platform) -> Platform,
) -> Result<(Session, Vec<Notice>)> {
    let session = Session::build(profile, run_time)?;
    let platform = extend(Platform::new(options(profile.udf_settings())));
    let notices = platform.register_context(&session.context())?;
    Ok((session, notices))
}

fn options(settings: UdfSettings) -> PlatformOptions {
    let UdfSettings {
        enable_udfs,
        enable_async_udfs,
        async_udf_timeout_ms,
        async_udf_batch_size,
        enable_function_factory,
        enable_expr_planners,
        expr_planner_names,
        strict,
    } = settings;
    PlatformOptions {
        enable_udfs,
        enable_async_udfs,
        async_udf_timeout_ms,
        async_udf_batch_size,
        enable_function_factory,
        enable_expr_planners,
        expr_planner_names,
        strict,
    }
}
