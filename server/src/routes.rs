//! The one table of routes: method, path, rule, handler. A reader sees the whole surface here, and a route can't be added
//! without a rule.

use crate::{
    api,
    app::App,
    auth::{
        enforcement::Guarded,
        permission::{Action, Rule},
    },
    edge,
    http_server::{gate, health},
    ingest::webhook,
    metrics,
    pages::{self, account, help, home, settings, workflows},
    problem::Problem,
    reachability,
};
use axum::{
    Router,
    handler::Handler,
    http::Method,
    routing::{MethodFilter, on},
};

/// One line of the table, for the test that walks all of them.
#[derive(Clone, Debug)]
pub struct Route {
    pub method: Method,
    pub path: &'static str,
    pub rule: Rule,
}

/// Collects routes with their rules.
#[derive(Default)]
pub struct Routes {
    pub table: Vec<Route>,
    router: Router<App>,
}

impl Routes {
    pub fn get<H: Handler<T, App>, T: 'static>(self, path: &'static str, rule: Rule, handler: H) -> Self {
        self.add(MethodFilter::GET, Method::GET, path, rule, handler)
    }
    pub fn post<H: Handler<T, App>, T: 'static>(self, path: &'static str, rule: Rule, handler: H) -> Self {
        self.add(MethodFilter::POST, Method::POST, path, rule, handler)
    }
    pub fn put<H: Handler<T, App>, T: 'static>(self, path: &'static str, rule: Rule, handler: H) -> Self {
        self.add(MethodFilter::PUT, Method::PUT, path, rule, handler)
    }
    pub fn delete<H: Handler<T, App>, T: 'static>(self, path: &'static str, rule: Rule, handler: H) -> Self {
        self.add(MethodFilter::DELETE, Method::DELETE, path, rule, handler)
    }
    /// Every method there is: for addresses that other programs were told, which answer to each method in their own way.
    pub fn any<H: Handler<T, App>, T: 'static>(mut self, path: &'static str, rule: Rule, handler: H) -> Self {
        for method in [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS] {
            self.table.push(Route { method, path, rule });
        }
        self.router = self.router.route(path, axum::routing::any(Guarded::new(rule, handler)));
        self
    }

    fn add<H: Handler<T, App>, T: 'static>(
        mut self,
        filter: MethodFilter,
        method: Method,
        path: &'static str,
        rule: Rule,
        handler: H,
    ) -> Self {
        self.table.push(Route { method, path, rule });
        // The rule stands in front of the handler itself: see auth::enforcement.
        self.router = self.router.route(path, on(filter, Guarded::new(rule, handler)));
        self
    }

    /// The router, with the edge around it: request numbers, rendered problems, the headers that protect pages.
    pub fn into_router(self, app: &App) -> Router {
        let nowhere = Guarded::new(Rule::Visitor, nowhere);
        edge::around(gate::around(self.router.fallback(nowhere), app), app).with_state(app.clone())
    }
}

/// Where no route leads.
async fn nowhere() -> Problem {
    Problem::not_found()
}

/// Every route there is.
pub fn all() -> Routes {
    Routes::default()
        // ── outside: assets, health, hooks, forms ──
        .get("/assets/{file}", Rule::Public, pages::assets::get)
        .get("/livez", Rule::Public, health::livez)
        .get("/readyz", Rule::Public, health::readyz)
        .get("/.well-known/towpath/{nonce}", Rule::Public, reachability::echo::get)
        .any("/hooks/app/{connector}", Rule::Public, webhook::app::receive)
        .any("/hooks/{id}", Rule::Public, webhook::receive)
        .any("/hooks/{id}/{*rest}", Rule::Public, webhook::receive_below)
        .get("/forms/{id}", Rule::Public, pages::forms::page::show)
        .post("/forms/{id}", Rule::Public, pages::forms::page::submit)
        .get("/forms/{id}/sent", Rule::Public, pages::forms::page::sent)
        // ── setup and sign-in ──
        .get("/setup", Rule::Visitor, account::setup::show)
        .post("/setup", Rule::Visitor, account::setup::submit)
        .get("/sign-in", Rule::Visitor, account::sign_in::show)
        .post("/sign-in", Rule::Visitor, account::sign_in::submit)
        .get("/sign-in/arrived", Rule::Visitor, account::sign_in::arrived)
        .post("/sign-out", Rule::SignedIn, account::sign_out::submit)
        .post("/theme", Rule::SignedIn, account::theme::submit)
        // ── people and workspaces ──
        .get("/invitations/{token}", Rule::Visitor, account::invitation::show)
        .post("/invitations/{token}", Rule::Visitor, account::invitation::submit)
        .get("/reset/{token}", Rule::Visitor, account::reset::show)
        .post("/reset/{token}", Rule::Visitor, account::reset::submit)
        .post("/workspaces/{workspace}/switch", Rule::SignedIn, account::switch::submit)
        .get("/settings/tokens", Rule::SignedIn, settings::tokens::show)
        .post("/settings/tokens", Rule::SignedIn, settings::tokens::create)
        .post("/settings/tokens/{token}/revoke", Rule::SignedIn, settings::tokens::revoke)
        .get("/settings/leave", Rule::SignedIn, settings::members::ask_leave)
        .post("/settings/leave", Rule::SignedIn, settings::members::leave)
        .get("/settings/members", Rule::May(Action::ManagePeople), settings::members::show)
        .post("/settings/members/invite", Rule::May(Action::ManagePeople), settings::members::invite)
        .post("/settings/invitations/{invitation}/renew", Rule::May(Action::ManagePeople), settings::members::renew)
        .post("/settings/invitations/{invitation}/revoke", Rule::May(Action::ManagePeople), settings::members::revoke)
        .post("/settings/members/{person}/role", Rule::May(Action::ManagePeople), settings::members::change_role)
        .get("/settings/members/{person}/remove", Rule::May(Action::ManagePeople), settings::members::ask_remove)
        .post("/settings/members/{person}/remove", Rule::May(Action::ManagePeople), settings::members::remove)
        .get("/settings/workspace/delete", Rule::May(Action::DeleteWorkspace), settings::delete_workspace::ask)
        .post("/settings/workspace/delete", Rule::May(Action::DeleteWorkspace), settings::delete_workspace::submit)
        .get("/api/v1/me", Rule::SignedIn, api::sessions::me)
        .get("/api/v1/sessions", Rule::SignedIn, api::sessions::list)
        .delete("/api/v1/sessions/{session}", Rule::SignedIn, api::sessions::delete)
        .get("/api/v1/tokens", Rule::SignedIn, api::tokens::list)
        .post("/api/v1/tokens", Rule::SignedIn, api::tokens::post)
        .delete("/api/v1/tokens/{token}", Rule::SignedIn, api::tokens::delete)
        .get("/api/v1/members", Rule::May(Action::ManagePeople), api::members::list)
        .put("/api/v1/members/{person}", Rule::May(Action::ManagePeople), api::members::put)
        .delete("/api/v1/members/{person}", Rule::May(Action::ManagePeople), api::members::delete)
        .get("/api/v1/invitations", Rule::May(Action::ManagePeople), api::invitations::list)
        .post("/api/v1/invitations", Rule::May(Action::ManagePeople), api::invitations::post)
        .post("/api/v1/invitations/{invitation}/renew", Rule::May(Action::ManagePeople), api::invitations::renew)
        .delete("/api/v1/invitations/{invitation}", Rule::May(Action::ManagePeople), api::invitations::delete)
        .get("/api/v1/workspaces", Rule::SignedIn, api::workspaces::mine)
        .get("/api/v1/workspace", Rule::May(Action::ManageWorkspace), api::workspaces::get)
        .put("/api/v1/workspace", Rule::May(Action::ManageWorkspace), api::workspaces::put)
        .delete("/api/v1/workspace", Rule::May(Action::DeleteWorkspace), api::workspaces::delete)
        .post("/api/v1/workspace/leave", Rule::SignedIn, api::members::leave)
        // ── the instance ──
        .get("/settings/instance", Rule::InstanceOwner, settings::instance::show)
        .get("/settings/reachability", Rule::InstanceOwner, settings::reachability::show)
        .post("/settings/reachability", Rule::InstanceOwner, settings::reachability::check)
        .get("/settings/restored", Rule::InstanceOwner, settings::restored::show)
        .post("/settings/restored", Rule::InstanceOwner, settings::restored::decide)
        .get("/metrics", Rule::InstanceOwner, metrics::page::show)
        .get("/api/v1/instance/reachability", Rule::InstanceOwner, api::operations::reachability)
        .post("/api/v1/instance/reachability", Rule::InstanceOwner, api::operations::check_reachability)
        .get("/api/v1/instance/restored", Rule::InstanceOwner, api::operations::restored)
        .post("/api/v1/instance/restored", Rule::InstanceOwner, api::operations::decide_restored)
        .get("/settings/instance/people/{person}/disable", Rule::InstanceOwner, settings::instance::ask_disable)
        .post("/settings/instance/people/{person}/disable", Rule::InstanceOwner, settings::instance::disable)
        .post("/settings/instance/people/{person}/enable", Rule::InstanceOwner, settings::instance::enable)
        .post("/settings/instance/people/{person}/owner", Rule::InstanceOwner, settings::instance::make_owner)
        .post("/settings/instance/people/{person}/no-owner", Rule::InstanceOwner, settings::instance::unmake_owner)
        .post("/settings/instance/people/{person}/reset", Rule::InstanceOwner, settings::instance::reset)
        .post("/settings/instance/workspaces", Rule::InstanceOwner, settings::instance::create)
        .get("/settings/instance/workspaces/{workspace}/delete", Rule::InstanceOwner, settings::delete_workspace::ask_any)
        .post("/settings/instance/workspaces/{workspace}/delete", Rule::InstanceOwner, settings::delete_workspace::submit_any)
        .get("/api/v1/instance/people", Rule::InstanceOwner, api::instance::list)
        .put("/api/v1/instance/people/{person}", Rule::InstanceOwner, api::instance::put)
        .post("/api/v1/instance/people/{person}/reset", Rule::InstanceOwner, api::instance::reset)
        .get("/api/v1/instance/workspaces", Rule::InstanceOwner, api::workspaces::all)
        .post("/api/v1/instance/workspaces", Rule::InstanceOwner, api::workspaces::post)
        .delete("/api/v1/instance/workspaces/{workspace}", Rule::InstanceOwner, api::workspaces::delete_any)
        // ── home and settings ──
        .get("/", Rule::May(Action::ViewRuns), home::show::show)
        .get("/settings", Rule::SignedIn, settings::account::show)
        .post("/settings/profile", Rule::SignedIn, settings::profile::submit)
        .post("/settings/password", Rule::SignedIn, settings::password::submit)
        .post("/settings/sessions/end", Rule::SignedIn, settings::sessions::end)
        .post("/settings/sessions/end-others", Rule::SignedIn, settings::sessions::end_others)
        .get("/settings/workspace", Rule::May(Action::ManageWorkspace), settings::workspace::show)
        .post("/settings/workspace", Rule::May(Action::ManageWorkspace), settings::workspace::submit)
        .get("/settings/variables", Rule::May(Action::ViewWorkflows), settings::variables::show)
        .post("/settings/variables", Rule::May(Action::EditWorkflows), settings::variables::create)
        .get("/settings/variables/{variable}", Rule::May(Action::EditWorkflows), settings::variables::edit)
        .post("/settings/variables/{variable}", Rule::May(Action::EditWorkflows), settings::variables::save)
        .get("/settings/variables/{variable}/delete", Rule::May(Action::EditWorkflows), settings::variables::ask_delete)
        .post("/settings/variables/{variable}/delete", Rule::May(Action::EditWorkflows), settings::variables::delete)
        .get("/api/v1/variables", Rule::May(Action::ViewWorkflows), api::variables::list)
        .post("/api/v1/variables", Rule::May(Action::EditWorkflows), api::variables::post)
        .get("/api/v1/variables/{variable}", Rule::May(Action::ViewWorkflows), api::variables::get)
        .put("/api/v1/variables/{variable}", Rule::May(Action::EditWorkflows), api::variables::put)
        .delete("/api/v1/variables/{variable}", Rule::May(Action::EditWorkflows), api::variables::delete)
        // ── workflows and the builder ──
        .get("/workflows", Rule::May(Action::ViewWorkflows), workflows::list::show)
        .post("/workflows", Rule::May(Action::EditWorkflows), workflows::create::submit)
        .post("/workflows/{id}/rename", Rule::May(Action::EditWorkflows), workflows::rename::submit)
        .post("/workflows/{id}/duplicate", Rule::May(Action::EditWorkflows), workflows::duplicate::submit)
        .post("/workflows/{id}/pause", Rule::May(Action::PublishWorkflows), workflows::state::pause)
        .post("/workflows/{id}/resume", Rule::May(Action::PublishWorkflows), workflows::state::resume)
        .get("/workflows/{id}/delete", Rule::May(Action::EditWorkflows), workflows::delete::ask)
        .post("/workflows/{id}/delete", Rule::May(Action::EditWorkflows), workflows::delete::submit)
        .get("/workflows/{id}", Rule::May(Action::ViewWorkflows), workflows::builder::show)
        .get("/api/v1/catalogue", Rule::SignedIn, api::catalogue::get)
        .get("/api/v1/workflows", Rule::May(Action::ViewWorkflows), api::workflows::list::get)
        .post("/api/v1/workflows", Rule::May(Action::EditWorkflows), api::workflows::create::post)
        .get("/api/v1/workflows/{id}", Rule::May(Action::ViewWorkflows), api::workflows::show::get)
        .get("/api/v1/workflows/{id}/export", Rule::May(Action::ViewWorkflows), api::workflows::export::get)
        .delete("/api/v1/workflows/{id}", Rule::May(Action::EditWorkflows), api::workflows::state::delete)
        .post("/api/v1/workflows/{id}/edits", Rule::May(Action::EditWorkflows), api::workflows::edits::post)
        .post("/api/v1/workflows/{id}/rename", Rule::May(Action::EditWorkflows), api::workflows::state::rename)
        .post("/api/v1/workflows/{id}/duplicate", Rule::May(Action::EditWorkflows), api::workflows::create::copy)
        .post("/api/v1/workflows/{id}/publish", Rule::May(Action::PublishWorkflows), api::workflows::state::publish)
        .post("/api/v1/workflows/{id}/pause", Rule::May(Action::PublishWorkflows), api::workflows::state::pause)
        .post("/api/v1/workflows/{id}/resume", Rule::May(Action::PublishWorkflows), api::workflows::state::resume)
        .get("/api/v1/workflows/{id}/versions", Rule::May(Action::ViewWorkflows), api::workflows::versions::list)
        .get("/api/v1/workflows/{id}/versions/{version}", Rule::May(Action::ViewWorkflows), api::workflows::versions::get)
        .post(
            "/api/v1/workflows/{id}/versions/{version}/restore",
            Rule::May(Action::EditWorkflows),
            api::workflows::versions::restore,
        )
        .post("/api/v1/workflows/{id}/resolve", Rule::May(Action::EditWorkflows), api::workflows::resolve::post)
        .post("/api/v1/workflows/{id}/steps/{step}/options", Rule::May(Action::EditWorkflows), api::workflows::options::post)
        .post("/api/v1/workflows/{id}/steps/{step}/test", Rule::May(Action::EditWorkflows), api::workflows::trial::post)
        .get("/api/v1/workflows/{id}/live", Rule::May(Action::ViewWorkflows), api::workflows::live::get)
        // ── triggers ──
        .get("/api/v1/workflows/{id}/trigger", Rule::May(Action::ViewWorkflows), api::triggers::get)
        .get("/workflows/{id}/trigger/examples", Rule::May(Action::ViewWorkflows), workflows::examples::show)
        .get("/api/v1/workflows/{id}/trigger/examples", Rule::May(Action::ViewWorkflows), api::triggers::get_examples)
        .get("/api/v1/workflows/{id}/trigger/events", Rule::May(Action::ViewWorkflows), api::triggers::events)
        .put("/api/v1/workflows/{id}/trigger/secret", Rule::May(Action::EditWorkflows), api::triggers::put_secret)
        .post("/api/v1/workflows/{id}/trigger/rotate", Rule::May(Action::PublishWorkflows), api::triggers::rotate)
        .get("/api/v1/workflows/{id}/trigger/samples/{sample}", Rule::May(Action::ViewRuns), api::triggers::sample)
        .post("/api/v1/workflows/{id}/trigger/parked/replay", Rule::May(Action::OperateRuns), api::triggers::replay)
        .post("/api/v1/workflows/{id}/trigger/check", Rule::May(Action::OperateRuns), api::triggers::check)
        .post("/api/v1/workflows/{id}/run", Rule::May(Action::OperateRuns), api::triggers::run)
        .post("/api/v1/schedules/preview", Rule::SignedIn, api::triggers::preview)
        // ── runs ──
        .get("/runs", Rule::May(Action::ViewRuns), pages::runs::list::page)
        .get("/runs/{run}", Rule::May(Action::ViewRuns), pages::runs::show::page)
        .get("/runs/{run}/live", Rule::May(Action::ViewRuns), pages::runs::live::stream)
        .get("/runs/{run}/event", Rule::May(Action::ViewRuns), pages::runs::download::event)
        .get("/runs/{run}/steps/{step}/{attempt}/{part}", Rule::May(Action::ViewRuns), pages::runs::download::part)
        .post("/runs/{run}/cancel", Rule::May(Action::OperateRuns), pages::runs::act::cancel)
        .post("/runs/{run}/replay", Rule::May(Action::OperateRuns), pages::runs::act::replay)
        .post("/runs/{run}/decide", Rule::May(Action::OperateRuns), pages::runs::act::decide)
        .get("/api/v1/runs", Rule::May(Action::ViewRuns), api::run_list::get)
        .get("/api/v1/runs/{run}", Rule::May(Action::ViewRuns), api::runs::get)
        .get("/api/v1/runs/{run}/event", Rule::May(Action::ViewRuns), api::attempts::event)
        .get("/api/v1/runs/{run}/attempts", Rule::May(Action::ViewRuns), api::attempts::list)
        .get("/api/v1/runs/{run}/rounds", Rule::May(Action::ViewRuns), api::rounds::get)
        .post("/api/v1/runs/{run}/cancel", Rule::May(Action::OperateRuns), api::runs::cancel)
        .post("/api/v1/runs/{run}/replay", Rule::May(Action::OperateRuns), api::runs::replay)
        .post("/api/v1/runs/{run}/decide", Rule::May(Action::OperateRuns), api::runs::decide)
        .get("/api/v1/workflows/{workflow}/runs/live", Rule::May(Action::ViewRuns), api::runs::live)
        // ── data tables ──
        .get("/tables", Rule::May(Action::ViewTables), pages::tables::list::show)
        .get("/tables/new", Rule::May(Action::EditTables), pages::tables::new::show)
        .post("/tables", Rule::May(Action::EditTables), pages::tables::new::submit)
        .get("/tables/{table}", Rule::May(Action::ViewTables), pages::tables::show::show)
        .get("/tables/{table}/columns", Rule::May(Action::EditTables), pages::tables::columns::show)
        .post("/tables/{table}/columns", Rule::May(Action::EditTables), pages::tables::columns::submit)
        .get("/tables/{table}/import", Rule::May(Action::EditTables), pages::tables::import::show)
        .post("/tables/{table}/import", Rule::May(Action::EditTables), pages::tables::import::submit)
        .get("/tables/{table}/export", Rule::May(Action::ViewTables), api::tables::csv::export)
        .get("/tables/{table}/delete", Rule::May(Action::EditTables), pages::tables::delete::ask)
        .post("/tables/{table}/delete", Rule::May(Action::EditTables), pages::tables::delete::submit)
        .get("/tables/{table}/rows/new", Rule::May(Action::EditTables), pages::tables::row::new)
        .post("/tables/{table}/rows", Rule::May(Action::EditTables), pages::tables::row::create)
        .get("/tables/{table}/rows/{row}", Rule::May(Action::ViewTables), pages::tables::row::show)
        .post("/tables/{table}/rows/{row}", Rule::May(Action::EditTables), pages::tables::row::save)
        .post("/tables/{table}/rows/{row}/delete", Rule::May(Action::EditTables), pages::tables::row::delete)
        .get("/api/v1/tables", Rule::May(Action::ViewTables), api::tables::list)
        .post("/api/v1/tables", Rule::May(Action::EditTables), api::tables::post)
        .get("/api/v1/tables/{table}", Rule::May(Action::ViewTables), api::tables::get)
        .put("/api/v1/tables/{table}", Rule::May(Action::EditTables), api::tables::put)
        .delete("/api/v1/tables/{table}", Rule::May(Action::EditTables), api::tables::delete)
        .get("/api/v1/tables/{table}/rows", Rule::May(Action::ViewTables), api::tables::rows::list)
        .post("/api/v1/tables/{table}/rows", Rule::May(Action::EditTables), api::tables::rows::post)
        .get("/api/v1/tables/{table}/rows/{row}", Rule::May(Action::ViewTables), api::tables::rows::get)
        .put("/api/v1/tables/{table}/rows/{row}", Rule::May(Action::EditTables), api::tables::rows::put)
        .delete("/api/v1/tables/{table}/rows/{row}", Rule::May(Action::EditTables), api::tables::rows::delete)
        .post("/api/v1/tables/{table}/import", Rule::May(Action::EditTables), api::tables::csv::import)
        .get("/api/v1/tables/{table}/export", Rule::May(Action::ViewTables), api::tables::csv::export)
        // ── connections ──
        .get("/connections", Rule::May(Action::ViewConnections), pages::connections::list::show)
        .get("/connections/new", Rule::May(Action::EditConnections), pages::connections::new::show)
        .post("/connections", Rule::May(Action::EditConnections), pages::connections::new::submit)
        .get("/connections/{connection}", Rule::May(Action::ViewConnections), pages::connections::edit::show)
        .post("/connections/{connection}", Rule::May(Action::EditConnections), pages::connections::edit::submit)
        .post("/connections/{connection}/test", Rule::May(Action::EditConnections), pages::connections::test::submit)
        .get("/connections/{connection}/delete", Rule::May(Action::EditConnections), pages::connections::delete::ask)
        .post("/connections/{connection}/delete", Rule::May(Action::EditConnections), pages::connections::delete::submit)
        .get("/connectors", Rule::SignedIn, pages::connectors::list::show)
        .get("/connectors/{connector}", Rule::SignedIn, pages::connectors::show::show)
        .get("/connectors/{connector}/icon.svg", Rule::SignedIn, pages::connectors::icon::get)
        .get("/api/v1/connectors", Rule::SignedIn, api::connections::connectors)
        .get("/api/v1/connections", Rule::May(Action::ViewConnections), api::connections::list)
        .post("/api/v1/connections", Rule::May(Action::EditConnections), api::connections::post)
        .get("/api/v1/connections/{connection}", Rule::May(Action::ViewConnections), api::connections::get)
        .put("/api/v1/connections/{connection}", Rule::May(Action::EditConnections), api::connections::put)
        .delete("/api/v1/connections/{connection}", Rule::May(Action::EditConnections), api::connections::delete)
        .post("/api/v1/connections/{connection}/test", Rule::May(Action::EditConnections), api::connections::test)
        // ── help ──
        .get("/help", Rule::Visitor, help::index::show)
        .get("/help/api", Rule::Visitor, help::api::show)
        .get("/api/openapi.json", Rule::Visitor, api::openapi::get)
        .get("/help/https", Rule::Visitor, help::https::show)
        .get("/help/proxies", Rule::Visitor, help::proxies::show)
        .get("/help/errors/{code}", Rule::Visitor, help::error::show)
}
