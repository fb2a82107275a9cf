//! The API description: what every operation has in common is added here, once.

use crate::gate::Gate;
use crate::problem::ProblemBody;
use http::Method;
use serde_json::json;
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn, PathItem, Paths};
use utoipa::openapi::schema::Schema;
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{
    Components, Content, InfoBuilder, ObjectBuilder, OpenApi, Ref, RefOr, Required, ResponseBuilder, Type,
};
use utoipa::{PartialSchema, ToSchema};

/// Operations of one path item, by method.
fn each(item: &mut PathItem) -> Vec<(Method, &mut Operation)> {
    let list = [
        (Method::GET, item.get.as_mut()),
        (Method::POST, item.post.as_mut()),
        (Method::PUT, item.put.as_mut()),
        (Method::PATCH, item.patch.as_mut()),
        (Method::DELETE, item.delete.as_mut()),
        (Method::HEAD, item.head.as_mut()),
        (Method::OPTIONS, item.options.as_mut()),
    ];
    list.into_iter().filter_map(|(method, operation)| operation.map(|o| (method, o))).collect()
}

pub(crate) fn operations(paths: &Paths) -> Vec<(Method, String)> {
    let mut paths = paths.clone();
    let mut found = Vec::new();
    for (path, item) in &mut paths.paths {
        found.extend(each(item).into_iter().map(|(method, _)| (method, path.clone())));
    }
    found
}

/// Adds id, security, permission, idempotency key and the problem answer to each operation.
pub(crate) fn describe(paths: &mut Paths, gate: Gate) {
    for (path, item) in &mut paths.paths {
        for (method, operation) in each(item) {
            operation.operation_id = Some(operation_id(&method, path));
            describe_gate(operation, gate);
            if method != Method::GET {
                operation.parameters.get_or_insert_default().push(RefOr::T(idempotency_key()));
            }
            let problem = ResponseBuilder::new()
                .description("Refused (RFC 9457)")
                .content("application/problem+json", Content::new(Some(Ref::from_schema_name("Problem"))))
                .build();
            operation.responses.responses.entry("default".to_owned()).or_insert_with(|| problem.into());
        }
    }
}

fn describe_gate(operation: &mut Operation, gate: Gate) {
    let (kind, permission) = match gate {
        Gate::Public(_) | Gate::OwnSite(_) => ("public", None),
        Gate::Enrolling => ("enrolling", None),
        Gate::SignedIn => ("signed_in", None),
        Gate::Needs(permission) => ("permission", Some(permission.as_str())),
    };
    let mut facts = vec![("x-gate", json!(kind))];
    facts.extend(permission.map(|p| ("x-permission", json!(p))));
    operation.extensions.get_or_insert_default().merge(facts.into_iter().collect::<Extensions>());
    let no_scopes: [&str; 0] = [];
    operation.security = Some(match gate {
        Gate::Public(_) | Gate::OwnSite(_) => Vec::new(),
        Gate::Enrolling | Gate::SignedIn => vec![SecurityRequirement::new("session", no_scopes)],
        Gate::Needs(_) => {
            vec![SecurityRequirement::new("session", no_scopes), SecurityRequirement::new("token", no_scopes)]
        }
    });
}

/// `get_api_users_id` for `GET /api/users/{id}`: unique whatever the handlers are called.
fn operation_id(method: &Method, path: &str) -> String {
    let words = path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    std::iter::once(method.as_str().to_ascii_lowercase()).chain(words.map(str::to_owned)).collect::<Vec<_>>().join("_")
}

fn idempotency_key() -> Parameter {
    ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some("A UUID made by the client: sent again, the same key does nothing twice."))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
        .build()
}

/// Adds paths and schemas; answers the names of schemas that were there with another content.
pub(crate) fn merge(api: &mut OpenApi, schemas: Vec<(String, RefOr<Schema>)>, paths: Paths) -> Vec<String> {
    for (path, item) in paths.paths {
        match api.paths.paths.get_mut(&path) {
            Some(there) => there.merge_operations(item),
            None => {
                api.paths.paths.insert(path, item);
            }
        }
    }
    let components = api.components.get_or_insert_with(Components::new);
    let mut clashes = Vec::new();
    for (name, schema) in schemas {
        match components.schemas.get(&name) {
            Some(there) if *there != schema => clashes.push(name),
            Some(_) => {}
            None => {
                components.schemas.insert(name, schema);
            }
        }
    }
    clashes
}

/// Title, security schemes and the problem document.
pub(crate) fn finish(mut api: OpenApi) -> OpenApi {
    api.info = InfoBuilder::new().title("Steward").version(env!("CARGO_PKG_VERSION")).build();
    let components = api.components.get_or_insert_with(Components::new);
    components.schemas.insert("Problem".to_owned(), ProblemBody::schema());
    let mut nested = Vec::new();
    ProblemBody::schemas(&mut nested);
    components.schemas.extend(nested);
    let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new("steward")));
    let token = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
    components.security_schemes.insert("session".to_owned(), cookie.into());
    components.security_schemes.insert("token".to_owned(), token.into());
    api
}
