//! A problem as a page.

use crate::{
    auth::{Actor, visit::Visit},
    pages,
    problem::{Code, Problem},
};
use axum::response::{IntoResponse, Response};
use towpath_web::{help::problem::ProblemPage, layout::Area};

/// The page that says what happened. It can't fail: without the template there is still the sentence.
pub fn show(problem: &Problem, visit: &Visit, actor: Option<&Actor>) -> Response {
    let title = problem.code.title();
    let mut page = actor.map_or_else(|| visit.page(title), |actor| actor.page(title, Area::Elsewhere));
    page.notice = None;
    let view = ProblemPage {
        page,
        detail: problem.detail.clone().into_owned(),
        fields: problem
            .fields
            .iter()
            .filter(|field| field.message != problem.detail)
            .map(|field| field.message.clone())
            .collect(),
        help: format!("/help/errors/{}", problem.code.name()),
        request: visit.request.to_string(),
        ours: matches!(problem.code, Code::Internal | Code::Unavailable),
        sign_in: problem.code == Code::NotSignedIn,
    };
    let mut response = pages::html(&view).unwrap_or_else(|_| problem.detail.clone().into_owned().into_response());
    *response.status_mut() = problem.code.status();
    if let Some(seconds) = problem.retry_after {
        response.headers_mut().insert("retry-after", seconds.into());
    }
    response
}
