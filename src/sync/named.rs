//! Records that are named by their ids: read several at once where the CRM can, else one by one; and the fields of a page's records
//! that did not fit into its request.

use crate::crm::connector::Connector;
use crate::crm::object::{ByIds, Operation};
use crate::crm::page::{self, Page, RefusedRow};
use crate::crm::request::{MAX_URL, Request};
use crate::crm::shape::Shape;
use crate::error::{Error, Kind, Reason, Result};
use crate::json::Path;
use crate::net::client::Client;
use crate::sync::plan::{Fetched, Plan, cannot, most_fields, set_fields};
use crate::template::Value;

/// Records that are read one by one before they are handed over together.
const SINGLES: usize = 10;

impl Plan {
    /// How many named records make a page.
    #[must_use]
    pub fn named_size(&self) -> usize {
        let by_ids = self.object.read.by_ids.as_ref();
        by_ids.map_or(SINGLES, |by_ids| by_ids.max.max(1))
    }

    /// Those of these records that the CRM has. One that it will not give, for a reason that concerns this record, holds up no other.
    pub async fn named(&self, client: &Client, ids: &[String]) -> Result<Fetched> {
        let Some(by_ids) = &self.object.read.by_ids else {
            return self.one_by_one(client, ids).await;
        };
        let result = match self.portion(client, by_ids, ids, &self.fields).await {
            Ok((fetched, count)) => {
                let rest = self.fields.get(count..).unwrap_or_default();
                self.complete(client, fetched, rest).await
            }
            Err(error) => Err(error),
        };
        match result {
            // Which of them it is about, the CRM does not say.
            Err(error) if concerns_record(&error) && self.object.read.one.is_some() => {
                self.one_by_one(client, ids).await
            }
            result => result,
        }
    }

    async fn one_by_one(&self, client: &Client, ids: &[String]) -> Result<Fetched> {
        let one = self.object.read.one.as_ref();
        let one = one.ok_or_else(|| cannot(self.object, &self.name, "one", "be read alone"))?;
        let mut whole = Fetched::default();
        for id in ids {
            match self.one(client, one, id).await {
                Ok(Some(found)) => whole.add(&found),
                Ok(None) => {}
                Err(error) if error.reason == Some(Reason::Missing) => {}
                Err(error) if concerns_record(&error) => whole.page.refused.push(RefusedRow {
                    position: whole.page.rows.len() + whole.page.refused.len(),
                    id: Some(id.clone()),
                    reason: format!("the CRM does not give it: {error}"),
                }),
                Err(error) => return Err(error),
            }
        }
        Ok(whole)
    }

    async fn one(&self, client: &Client, operation: &Operation, id: &str) -> Result<Option<Fetched>> {
        let mut values = Connector::object_values(&self.connection.values, &self.name, self.object);
        set_fields(&mut values, None, &self.fields);
        values.set("id", Value::text(id));
        let reply = self.ask(client, self.connection.request(operation, &values)?).await?;
        if reply.no_rows {
            return Ok(None);
        }
        let Ok(text) = std::str::from_utf8(&reply.body) else {
            let mut page = Page::default();
            page.refused.push(RefusedRow {
                position: 0,
                id: Some(id.to_owned()),
                reason: String::from("it has bytes that are not UTF-8"),
            });
            return Ok(Some(Fetched::of(&reply, page)));
        };
        let Some(row) = operation.record.text(text).filter(|row| row.starts_with('{')) else {
            return Ok(None);
        };
        let shape = Shape {
            rows: Path::default(),
            keep: None,
            ..self.shape.clone()
        };
        page::scan(format!("[{row}]").as_bytes(), &shape).map(|page| Some(Fetched::of(&reply, page)))
    }

    /// Adds the fields that were not asked for yet; records that have gone meanwhile are refused.
    pub(super) async fn complete(&self, client: &Client, mut fetched: Fetched, rest: &[String]) -> Result<Fetched> {
        if rest.is_empty() || fetched.page.rows.is_empty() {
            return Ok(fetched);
        }
        let by_ids = self.object.read.by_ids.as_ref().ok_or_else(|| {
            Error::new(
                Kind::Config,
                format!(
                    "{} fields are too many for one request, and this CRM gives no others by id: map fewer",
                    self.fields.len()
                ),
            )
        })?;
        let ids: Vec<String> = fetched.page.rows.iter().map(|row| row.id.clone()).collect();
        let mut portion = rest;
        while !portion.is_empty() {
            let (more, count) = self.portion(client, by_ids, &ids, portion).await?;
            fetched.bytes += more.bytes;
            fetched.elapsed += more.elapsed;
            fetched.attempts += more.attempts;
            fetched.page.absorb(&more.page, &self.shape);
            portion = portion.get(count..).unwrap_or_default();
        }
        Ok(fetched)
    }

    /// These records with as many of the fields as fit into a request, and how many those are.
    async fn portion(
        &self,
        client: &Client,
        by_ids: &ByIds,
        ids: &[String],
        fields: &[String],
    ) -> Result<(Fetched, usize)> {
        let mut shape = self.shape.clone();
        shape.rows = by_ids.rows.clone();
        shape.keep = None;
        let chunks: Vec<&[String]> = ids.chunks(by_ids.max.max(1)).collect();
        let build = |ids: &[String], count: usize| -> Result<Request> {
            let some = fields.get(..count).unwrap_or_default();
            let mut values = self.values(&self.from, some)?;
            by_ids
                .set(&mut values, ids)
                .ok_or_else(|| Error::new(Kind::Config, "read.by_ids.item needs a value that is not there"))?;
            self.connection.request(&by_ids.request, &values)
        };
        let first = chunks.first().copied().unwrap_or_default();
        let mut count = fields.len().min(most_fields(self.listing));
        while count > 1 && build(first, count)?.url.as_str().len() > MAX_URL {
            count = count.div_ceil(2);
        }
        let mut whole = Fetched::default();
        for chunk in chunks {
            whole.add(&self.scan(client, build(chunk, count)?, &shape).await?);
        }
        Ok((whole, count))
    }
}

/// Whether a refusal is about the record and not about the connection.
fn concerns_record(error: &Error) -> bool {
    matches!(
        error.reason,
        Some(Reason::Missing | Reason::Invalid | Reason::Forbidden)
    )
}

impl Default for Fetched {
    fn default() -> Self {
        Self {
            page: Page::default(),
            bytes: 0,
            elapsed: std::time::Duration::ZERO,
            attempts: 0,
        }
    }
}
