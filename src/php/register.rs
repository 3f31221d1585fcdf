//! The classes and methods that PHP sees, with names, defaults and types as in php-stubs/.

use ext_php_rs::args::{Arg, ArgInfoTables};
use ext_php_rs::builders::{ClassBuilder, FunctionBuilder};
use ext_php_rs::error::Result;
use ext_php_rs::flags::{DataType, MethodFlags};
use ext_php_rs::types::Zval;
use ext_php_rs::zend::{ExecuteData, ZendType};

use crate::php::client::Client;
use crate::php::zend::{self, ClassKeys, PhpClass};
use crate::php::{
    about, batch, consent, credential, info, journal, limits, many, merge, methods, pull, records, tokens, webhook,
};

/// The drop-in's name.
pub const NAME: &str = "TenantCRMSync";
/// How the drop-in is found in the class table, where it is to be found.
pub static KEYS: ClassKeys = ClassKeys::new();

/// Stands for "no type", as the article's class has it: an untyped override stays valid.
pub const UNTYPED: DataType = DataType::Mixed;
/// Stands for the return type `static`, which ext-php-rs does not know.
const STATIC: DataType = DataType::Callable;

/// What pulls give.
pub const BATCH: DataType = DataType::object("TenantCRMSync\\Batch");
const PULL: DataType = DataType::object("TenantCRMSync\\Pull");
const PULLS: DataType = DataType::object("TenantCRMSync\\Pulls");
const LIMITER: DataType = DataType::object("TenantCRMSync\\Limiter");
const TOKEN_STORE: DataType = DataType::object("TenantCRMSync\\TokenStore");

/// A handler that PHP can call for a safe method.
macro_rules! handler {
    ($method:path) => {{
        extern "C" fn raw(frame: &mut ext_php_rs::zend::ExecuteData, result: &mut ext_php_rs::types::Zval) {
            $crate::php::zend::run(frame, result, $method);
        }
        raw
    }};
}
pub(super) use handler;

/// A handler.
pub type Handler = extern "C" fn(&mut ExecuteData, &mut Zval);

/// A method of a class.
pub fn method(name: &str, handler: Handler, required: usize, args: Vec<Arg<'static>>) -> FunctionBuilder<'static> {
    let mut builder = FunctionBuilder::new(name, handler);
    for arg in args {
        builder = builder.arg(arg);
    }
    builder.required_args(required)
}

/// A parameter of a method.
pub fn arg(name: &str, kind: DataType) -> Arg<'static> {
    Arg::new(name, kind)
}

/// Registers all classes; while the module starts.
pub fn classes() -> Result<()> {
    KEYS.make("tenantcrmsync", "tenantcrmsync\0hidden");
    tokens::register()?;
    limits::register()?;
    drop_in()?;
    pull::register()?;
    many::register()?;
    batch::register()
}

fn drop_in() -> Result<()> {
    const PUBLIC: MethodFlags = MethodFlags::Public;
    let shared = MethodFlags::Public | MethodFlags::Static;
    let text = |name: &str| arg(name, DataType::String);
    let any = |name: &str| arg(name, UNTYPED);
    let array = |name: &str| arg(name, DataType::Array);
    let maybe_text = |name: &str| text(name).allow_null().default("null");
    let class = ClassBuilder::new(NAME)
        .method(
            method("__construct", handler!(methods::construct), 1, vec![any("tenant_id")]),
            PUBLIC,
        )
        .method(
            method(
                "with_settings",
                handler!(methods::with_settings),
                2,
                vec![any("tenant_id"), array("settings")],
            )
            .returns(STATIC, false, false),
            shared,
        )
        .method(
            method(
                "fetch_leads",
                handler!(methods::fetch_leads),
                0,
                vec![any("last_sync_timestamp").default("null")],
            ),
            PUBLIC,
        )
        .method(
            method(
                "create_lead",
                handler!(records::create_lead),
                1,
                vec![array("lead_data")],
            ),
            PUBLIC,
        )
        .method(
            method("get_lead", handler!(methods::get_lead), 1, vec![any("lead_id")]),
            PUBLIC,
        )
        .method(
            method(
                "update_lead",
                handler!(records::update_lead),
                2,
                vec![any("lead_id"), array("lead_data")],
            ),
            PUBLIC,
        )
        .method(
            method("delete_lead", handler!(records::delete_lead), 1, vec![any("lead_id")]),
            PUBLIC,
        )
        .method(
            method(
                "fetch_records",
                handler!(methods::fetch_records),
                1,
                vec![text("object"), any("since").default("null")],
            ),
            PUBLIC,
        )
        .method(
            method(
                "create_record",
                handler!(records::create_record),
                2,
                vec![text("object"), array("data")],
            ),
            PUBLIC,
        )
        .method(
            method(
                "get_record",
                handler!(methods::get_record),
                2,
                vec![text("object"), any("id")],
            ),
            PUBLIC,
        )
        .method(
            method(
                "update_record",
                handler!(records::update_record),
                3,
                vec![text("object"), any("id"), array("data")],
            ),
            PUBLIC,
        )
        .method(
            method(
                "delete_record",
                handler!(records::delete_record),
                2,
                vec![text("object"), any("id")],
            ),
            PUBLIC,
        )
        .method(
            method(
                "pull",
                handler!(methods::pull),
                1,
                vec![text("object"), maybe_text("watermark"), array("options").default("[]")],
            )
            .returns(PULL, false, false),
            PUBLIC,
        )
        .method(
            method(
                "upsert_record",
                handler!(records::upsert_record),
                3,
                vec![text("object"), text("key"), array("data")],
            ),
            PUBLIC,
        )
        .method(
            method(
                "get_records",
                handler!(records::get_records),
                2,
                vec![text("object"), array("ids")],
            ),
            PUBLIC,
        )
        .method(
            method(
                "create_records",
                handler!(records::create_records),
                2,
                vec![text("object"), array("list")],
            ),
            PUBLIC,
        )
        .method(
            method(
                "update_records",
                handler!(records::update_records),
                2,
                vec![text("object"), array("list")],
            ),
            PUBLIC,
        )
        .method(
            method(
                "upsert_records",
                handler!(records::upsert_records),
                3,
                vec![text("object"), text("key"), array("list")],
            ),
            PUBLIC,
        )
        .method(
            method(
                "delete_records",
                handler!(records::delete_records),
                2,
                vec![text("object"), array("ids")],
            ),
            PUBLIC,
        )
        .method(
            method(
                "pull_deleted",
                handler!(methods::pull_deleted),
                1,
                vec![text("object"), maybe_text("watermark"), array("options").default("[]")],
            )
            .returns(PULL, false, false),
            PUBLIC,
        )
        .method(
            method(
                "pull_many",
                handler!(many::pull_many),
                0,
                vec![array("pulls").default("[]"), array("options").default("[]")],
            )
            .returns(PULLS, false, false),
            shared,
        )
        .method(
            method("describe", handler!(about::describe), 1, vec![text("object")]),
            PUBLIC,
        )
        .method(
            method("test_connection", handler!(about::test_connection), 0, vec![]).returns(
                DataType::Array,
                false,
                false,
            ),
            PUBLIC,
        )
        .method(
            method(
                "verify_webhook",
                handler!(webhook::verify_webhook),
                4,
                vec![text("method"), text("url"), array("headers"), text("body")],
            ),
            PUBLIC,
        )
        .method(
            method(
                "subscribe_webhook",
                handler!(webhook::subscribe_webhook),
                2,
                vec![text("object"), text("url")],
            ),
            PUBLIC,
        )
        .method(
            method(
                "unsubscribe_webhook",
                handler!(webhook::unsubscribe_webhook),
                1,
                vec![text("id")],
            ),
            PUBLIC,
        )
        .method(
            method("connectors", handler!(about::connectors), 0, vec![]).returns(DataType::Array, false, false),
            shared,
        )
        .method(
            method("last_error", handler!(methods::last_error), 0, vec![]).returns(DataType::Array, false, true),
            PUBLIC,
        )
        .method(
            method(
                "throw_errors",
                handler!(methods::throw_errors),
                0,
                vec![arg("on", DataType::Bool).default("true")],
            )
            .returns(STATIC, false, false),
            PUBLIC,
        )
        .method(
            method(
                "use_token_store",
                handler!(tokens::use_store),
                1,
                vec![arg("store", TOKEN_STORE).allow_null()],
            )
            .returns(DataType::Void, false, false),
            shared,
        )
        .method(
            method("limits", handler!(limits::limits), 0, vec![]).returns(DataType::Array, false, false),
            PUBLIC,
        )
        .method(
            method(
                "limiter",
                handler!(limits::limiter),
                3,
                vec![
                    text("name"),
                    arg("amount", DataType::Long),
                    arg("seconds", DataType::Double),
                    arg("burst", DataType::Long).allow_null().default("null"),
                ],
            )
            .returns(LIMITER, false, false),
            shared,
        )
        .method(
            method("checkpoint_limits", handler!(limits::checkpoint), 0, vec![]).returns(
                DataType::String,
                false,
                false,
            ),
            shared,
        )
        .method(
            method("restore_limits", handler!(limits::restore), 1, vec![text("checkpoint")]).returns(
                DataType::Long,
                false,
                false,
            ),
            shared,
        )
        .method(
            method("wake", handler!(limits::wake), 0, vec![text("channel").default("''")]).returns(
                DataType::Bool,
                false,
                false,
            ),
            shared,
        )
        .method(
            method(
                "wait_for_wake",
                handler!(limits::wait_for_wake),
                1,
                vec![arg("seconds", DataType::Double), text("channel").default("''")],
            )
            .returns(DataType::Bool, false, true),
            shared,
        )
        .method(
            method(
                "trace",
                handler!(journal::trace),
                1,
                vec![arg("traceparent", DataType::String).allow_null()],
            )
            .returns(DataType::String, false, true),
            shared,
        )
        .method(
            method(
                "attempts",
                handler!(journal::attempts),
                0,
                vec![arg("max", DataType::Long).default("1000")],
            )
            .returns(DataType::Array, false, false),
            shared,
        )
        .method(
            method("status", handler!(info::status), 0, vec![]).returns(DataType::Array, false, false),
            shared,
        );
    let class = credential::methods(class);
    let class = consent::methods(class);
    let class = merge::methods(class);
    class
        .registration(|entry, tables| {
            keep(tables);
            zend::retype(entry, own_types);
            Client::class().bind::<Client>(entry);
        })
        .register()
}

/// The engine may borrow the tables for as long as it lives.
pub fn keep(tables: ArgInfoTables) {
    std::mem::forget(tables);
}

/// The types that ext-php-rs cannot say.
fn own_types(mask: u32, is_return: bool) -> u32 {
    const NO_TYPE: u32 = 0;
    const MAY_BE_STATIC: u32 = 1 << 15;
    let marked = |kind| ZendType::empty_from_type(kind, false, false, false).is_some_and(|kind| kind.type_mask == mask);
    if !is_return && marked(UNTYPED) {
        NO_TYPE
    } else if is_return && marked(STATIC) {
        MAY_BE_STATIC
    } else {
        mask
    }
}
