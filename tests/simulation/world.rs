//! Who is simulated: tenants with intervals and pages, the accounts that they share, with the limits of the built-in connectors, and how
//! busy these are. At 10,000 tenants each shared account is used to about 70 % of what may be let through; fewer tenants use less.

use tenant_crm_sync::crm::catalog::{Folder, find};
use tenant_crm_sync::crm::limit::Costs;
use tenant_crm_sync::crm::request::{Connection, endpoint, set_endpoint};
use tenant_crm_sync::limit::budget::{gate, windows};
use tenant_crm_sync::limit::own::TenantLimits;
use tenant_crm_sync::template::{Value, Values};

use super::crm::Account;
use super::played;

/// Minutes between two pulls, and how many of a hundred tenants have chosen so.
const INTERVALS: [(u64, u64); 5] = [(5, 1), (10, 1), (15, 3), (30, 25), (60, 70)];

/// One of the tenants.
pub struct Tenant {
    pub name: String,
    pub account: usize,
    /// Milliseconds between two pulls.
    pub interval: u64,
    /// The fewest and the most pages of a pull.
    size: (u64, u64),
}

impl Tenant {
    /// Whether it has thousands of pages.
    pub fn is_huge(&self) -> bool {
        self.size.1 > 1_000
    }

    /// How many pages its next pull has: mostly few.
    pub fn pages(&self) -> u64 {
        played::heavy(self.size.0, self.size.1, 2.5)
    }
}

/// What tenants have in common.
struct Kind {
    connector: &'static str,
    method: &'static str,
    fields: &'static [(&'static str, &'static str)],
    plan: Option<&'static str>,
    /// The tenant's setting `limits`.
    limits: Option<&'static str>,
    /// What a page costs in units of its own.
    costs: &'static [(&'static str, u64)],
    /// Of a thousand tenants.
    tenants: usize,
    /// How many accounts they share; 0: each has its own.
    accounts: usize,
    /// The shortest and the longest time the CRM thinks, in milliseconds.
    thinks: (u64, u64),
}

const KINDS: [Kind; 9] = [
    Kind {
        connector: "hubspot",
        method: "key",
        fields: &[("zone", "Europe/Berlin")],
        plan: Some("professional"),
        limits: None,
        costs: &[("searches", 1)],
        tenants: 340,
        accounts: 1,
        thinks: (40, 2_000),
    },
    // Those with thousands of pages are among these.
    Kind {
        connector: "hubspot",
        method: "key",
        fields: &[("zone", "America/New_York")],
        plan: Some("starter"),
        limits: None,
        costs: &[("searches", 1)],
        tenants: 50,
        accounts: 0,
        thinks: (40, 2_000),
    },
    Kind {
        connector: "pipedrive",
        method: "key",
        fields: &[],
        plan: Some("ultimate"),
        limits: None,
        costs: &[("tokens", 10)],
        tenants: 70,
        accounts: 3,
        thinks: (60, 3_000),
    },
    Kind {
        connector: "salesforce",
        method: "key",
        fields: &[],
        plan: Some("enterprise"),
        limits: None,
        costs: &[],
        tenants: 120,
        accounts: 1,
        thinks: (80, 4_000),
    },
    Kind {
        connector: "zoho",
        method: "oauth",
        fields: &[],
        plan: Some("standard"),
        limits: None,
        costs: &[],
        tenants: 60,
        accounts: 1,
        thinks: (100, 3_000),
    },
    // A slow one.
    Kind {
        connector: "dynamics",
        method: "app",
        fields: &[],
        plan: None,
        limits: None,
        costs: &[],
        tenants: 150,
        accounts: 1,
        thinks: (3_000, 9_000),
    },
    Kind {
        connector: "rest",
        method: "key",
        fields: &[],
        plan: None,
        limits: Some(r#"[{"amount": 9, "seconds": 10}]"#),
        costs: &[],
        tenants: 95,
        accounts: 1,
        thinks: (20, 1_000),
    },
    Kind {
        connector: "suitecrm",
        method: "client",
        fields: &[],
        plan: None,
        limits: Some(r#"[{"amount": 2000, "seconds": 3600}, {"amount": 10, "seconds": 1}]"#),
        costs: &[],
        tenants: 55,
        accounts: 1,
        thinks: (30, 2_000),
    },
    OUTAGE,
];

/// The CRM that is away for a while: it must have room to catch up.
const OUTAGE: Kind = Kind {
    connector: "espocrm",
    method: "key",
    fields: &[],
    plan: None,
    limits: Some(r#"[{"amount": 30, "seconds": 10}]"#),
    costs: &[],
    tenants: 60,
    accounts: 1,
    thinks: (20, 1_000),
};

/// One of so many of those with an account of their own has thousands of pages.
const HUGE: usize = 100;

/// So many tenants, with `load` times as many pages as usual, and their accounts. `away`: from which to which second one of the CRMs is.
pub fn people(count: usize, load: u64, away: Option<(u64, u64)>) -> (Vec<Tenant>, Vec<Account>) {
    let (mut tenants, mut accounts) = (Vec::new(), Vec::new());
    for kind in &KINDS {
        let of_kind = count * kind.tenants / 1000;
        let first = accounts.len();
        let shared = if kind.accounts == 0 { of_kind } else { kind.accounts };
        for number in 0..shared {
            let mut account = kind.account(number);
            if let Some((from, to)) = away.filter(|_| kind.connector == OUTAGE.connector) {
                account.away = Some(from * 1000..=to * 1000);
            }
            accounts.push(account);
        }
        for number in 0..of_kind {
            let is_huge = kind.accounts == 0 && number % HUGE == 0;
            tenants.push(Tenant {
                name: format!("{} {number}", kind.connector),
                account: first + number % shared,
                interval: if is_huge { 3_600_000 } else { interval() },
                size: if is_huge { (500, 2_000) } else { (load, 40 * load) },
            });
        }
    }
    (tenants, accounts)
}

fn interval() -> u64 {
    let mut drawn = played::between(0, 99);
    for (minutes, share) in INTERVALS {
        if drawn < share {
            return minutes * 60_000;
        }
        drawn -= share;
    }
    3_600_000
}

impl Kind {
    fn account(&self, number: usize) -> Account {
        let connector = find(self.connector, &Folder::default()).unwrap();
        let mut values = Values::new();
        set_endpoint(&mut values, &endpoint("https://crm.example").unwrap());
        for (name, value) in self.fields {
            values.set(name, Value::text(value));
        }
        let method = connector.auth_method(Some(self.method)).unwrap();
        let key = format!("{} {number}", self.connector);
        for name in method.fields.iter().filter(|name| *name != "api_endpoint") {
            values.set(name, Value::text(&key));
        }
        values.set("refresh_token", Value::text(&key));
        let connection = Connection {
            connector,
            method,
            values,
            is_referenced: false,
            lane: None,
        };
        let own = TenantLimits::parse(self.plan, self.limits, None).unwrap();
        let windows = windows(&connection, &key, &own, played::now().unix).unwrap();
        let gate = gate(&connection, &key);
        let costs: Costs = self
            .costs
            .iter()
            .map(|(unit, cost)| ((*unit).to_owned(), *cost))
            .collect();
        let mut account = Account::new(key, connector, windows, gate, costs);
        account.thinks = self.thinks.0..=self.thinks.1;
        account
    }
}
