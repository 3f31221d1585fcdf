//! What a connector file must hold besides what its types say; a failure names the place and the remedy.

use crate::crm::connector::{Connector, ENDPOINT};
use crate::crm::object::{Describe, Listing, Next, Object, Operation};

impl Connector {
    /// What the types cannot say.
    pub(super) fn check(&self) -> std::result::Result<(), String> {
        let is_name = |name: &str| {
            !name.is_empty()
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-'))
        };
        if !is_name(&self.name) {
            return Err(String::from("name: use small letters, digits, _ and -"));
        }
        if self.objects.is_empty() {
            return Err(String::from("objects: name at least one"));
        }
        if self.auth.is_empty() {
            return Err(String::from("auth: say at least one way"));
        }
        let captured = |name: &str| {
            self.auth
                .iter()
                .filter_map(|method| method.oauth2.as_ref())
                .any(|oauth2| oauth2.capture.contains_key(name))
        };
        let is_absolute = self.base.starts_with(ENDPOINT)
            || self.base.starts_with("origin")
            || self
                .base
                .names()
                .next()
                .is_some_and(|first| self.base.starts_with(first) && captured(first));
        if !is_absolute {
            return Err(String::from(
                "base: begin with {api_endpoint}, {origin} or a captured URL, so that no host is called that nobody has configured",
            ));
        }
        for (position, method) in self.auth.iter().enumerate() {
            for field in &method.fields {
                if !self.fields.contains_key(field) && field != "api_key" {
                    return Err(format!("auth[{position}].fields: \"{field}\" is not among fields"));
                }
            }
        }
        for (name, field) in &self.fields {
            if let Some(bound) = &field.bound_to
                && bound != ENDPOINT
                && !self.fields.contains_key(bound)
            {
                return Err(format!("fields.{name}.bound_to: \"{bound}\" is not among fields"));
            }
        }
        for (name, object) in &self.objects {
            object.check().map_err(|reason| format!("objects.{name}.{reason}"))?;
        }
        self.check_subscribe()?;
        self.check_limits()
    }

    fn check_subscribe(&self) -> std::result::Result<(), String> {
        let subscribe = self.webhooks.as_ref().and_then(|webhooks| webhooks.subscribe.as_ref());
        let Some(subscribe) = subscribe else {
            return Ok(());
        };
        for (name, operation) in [("create", &subscribe.create), ("delete", &subscribe.delete)] {
            if !operation.path.is_below() {
                return Err(format!("webhooks.subscribe.{name}: the path has to begin with a slash"));
            }
        }
        if subscribe.create.id.is_none() {
            return Err(String::from(
                "webhooks.subscribe.create: say with id where the answer names what was made",
            ));
        }
        match subscribe.secrets.iter().find(|name| !self.fields.contains_key(*name)) {
            Some(name) => Err(format!("webhooks.subscribe.secrets: \"{name}\" is not among fields")),
            None => Ok(()),
        }
    }
}

impl Object {
    /// All requests.
    pub(super) fn operations(&self) -> impl Iterator<Item = &Operation> {
        let (read, write) = (&self.read, &self.write);
        let lists = [&read.full, &read.since, &read.deleted].into_iter().flatten();
        let batch = &write.batch;
        let batches = [&batch.create, &batch.update, &batch.upsert, &batch.delete]
            .into_iter()
            .flatten();
        let single = [&read.one, &write.create, &write.update, &write.delete]
            .into_iter()
            .flatten();
        lists
            .map(|list| &list.request)
            .chain(read.by_ids.iter().map(|by_ids| &by_ids.request))
            .chain(read.fields.iter().map(|fields| &fields.request))
            .chain(single)
            .chain(write.upsert.iter().map(|upsert| &upsert.request))
            .chain(batches.map(|batch| &batch.request))
    }

    fn check(&self) -> std::result::Result<(), String> {
        let listings = [
            ("full", &self.read.full),
            ("since", &self.read.since),
            ("deleted", &self.read.deleted),
        ];
        for (name, listing) in listings {
            if let Some(listing) = listing {
                listing.check().map_err(|reason| format!("read.{name}.{reason}"))?;
            }
        }
        if self.fields_at.steps().len() > 1 {
            return Err(String::from("fields_at: one step at most"));
        }
        for operation in self.operations() {
            if !operation.path.is_below() {
                return Err(format!(
                    "the path of {} has to begin with a slash: it is set behind the base",
                    operation.method
                ));
            }
        }
        if self.read.fields.as_ref().is_some_and(Describe::is_unclear) {
            return Err(String::from("read.fields: label and kind need rows that are objects"));
        }
        Ok(())
    }
}

impl Describe {
    fn is_unclear(&self) -> bool {
        self.rows.is_root() && self.name.is_none() && self.label.is_none() && self.kind.is_none()
    }
}

impl Listing {
    fn check(&self) -> std::result::Result<(), String> {
        let names = self.request.names();
        for (position, next) in self.next.iter().enumerate() {
            let wanted = match next {
                Next::Link { .. } => continue,
                Next::Cursor { .. } => "cursor",
                Next::Page { .. } => "page",
                Next::Offset { .. } => "offset",
                Next::Keyset { .. } => "after",
            };
            if !names.contains(&wanted) {
                return Err(format!(
                    "next[{position}]: the request does not say where {{{wanted}}} goes"
                ));
            }
        }
        Ok(())
    }
}
