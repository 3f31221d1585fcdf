<?php
/**
 * IDE and static-analysis stubs of the native extension tenant_crm_sync.
 *
 * The classes are implemented in Rust (src/php/); the bodies here only throw. tests/phpt holds every name, default and
 * type in this file against reflection of the loaded extension.
 *
 * @version 0.1.0
 */

namespace {

	/**
	 * One tenant's connection to its CRM. Works inside the PHP process; connections outlive the request.
	 *
	 * Settings are an array with these keys. What the way of authorisation needs is required, the rest is optional:
	 *
	 * | key                | type   | meaning |
	 * |--------------------|--------|---------|
	 * | api_key            | string | key in plain text, an envelope of encrypt_credential(), or a reference to the host's secrets manager: `vault://mount/path#field`, `aws-sm://name#field` |
	 * | api_endpoint       | string | https URL; for `rest`, `/api/v1/...` is resolved against it by RFC 3986, so a path in it is dropped. Some connectors have a default |
	 * | connector          | string | which CRM this is; default `rest`; see connectors() |
	 * | auth               | string | name of the connector's way of authorisation; default its first |
	 * | (others)           | string | the fields that connectors() names for the connector; secret ones may be envelopes or references |
	 * | mapping            | array  | object types and their fields, added to the connector's mapping: `['leads' => ['budget' => 'Budget__c']]` |
	 * | shape              | string | `neutral` (default) or `crm`: records as the CRM writes them |
	 * | timeout            | float  | seconds for a whole call, retries included; default and maximum: INI tenant_crm_sync.timeout_ms |
	 * | idempotency_header | string | header that carries a random key on creates; they may then be repeated after a cut connection |
	 * | throw              | bool   | as throw_errors() |
	 * | parallel           | int    | pages side by side in pull(), 1 to 128, within the host's max_parallel; needs stable_order |
	 * | stable_order       | bool   | the CRM's order and totals do not change while pages are read |
	 * | plan               | string | edition of the CRM, where its limits differ by edition: see connectors(); default the smallest |
	 * | limits             | array  | in place of the connector's limits: `[['amount' => 100, 'seconds' => 10], ['amount' => 50000, 'seconds' => 86400, 'daily' => true]]` |
	 * | reserve            | float  | 0 to 0.9, default 0.2: part of the limits of hours and days that is left to the customer's other tools |
	 */
	class TenantCRMSync {

		/**
		 * Reads the settings from the site's function get_tenant_crm_settings( $tenant_id ).
		 *
		 * @param int|string $tenant_id
		 * @throws \Exception "CRM settings not configured for tenant {$tenant_id}." where the function returns nothing;
		 *                    \TenantCRMSync\ConfigException where the function does not exist or a setting is unusable.
		 */
		public function __construct( $tenant_id ) {
			throw new \LogicException( 'stub' );
		}

		/**
		 * The same with settings given, not looked up. Returns the class it was called on.
		 *
		 * @param int|string           $tenant_id
		 * @param array<string, mixed> $settings  See the class.
		 */
		public static function with_settings( $tenant_id, array $settings ): static {
			throw new \LogicException( 'stub' );
		}

		/**
		 * One GET of /api/v1/leads. Does not page: see pull().
		 *
		 * @param mixed $last_sync_timestamp Sent as filter[updated_at_gt] unless it is falsy.
		 * @return mixed The value of `data` in the answer ([] where there is none); false on failure, with a line in PHP's error log.
		 */
		public function fetch_leads( $last_sync_timestamp = null ) {
			throw new \LogicException( 'stub' );
		}

		/**
		 * One POST to /api/v1/leads. Repeated only if it cannot have been processed.
		 *
		 * @param array<mixed> $lead_data
		 * @return mixed The decoded answer; false on failure.
		 */
		public function create_lead( array $lead_data ) {
			throw new \LogicException( 'stub' );
		}

		/**
		 * @param int|string $lead_id
		 * @return mixed The decoded answer; false on failure (last_error() tells a missing lead from a broken call).
		 */
		public function get_lead( $lead_id ) {
			throw new \LogicException( 'stub' );
		}

		/**
		 * PATCH of the given fields.
		 *
		 * @param int|string   $lead_id
		 * @param array<mixed> $lead_data
		 * @return mixed The decoded answer, true where the CRM answers without a body; false on failure.
		 */
		public function update_lead( $lead_id, array $lead_data ) {
			throw new \LogicException( 'stub' );
		}

		/**
		 * @param int|string $lead_id
		 * @return bool true if the lead is gone, also if it was gone before; false on failure.
		 */
		public function delete_lead( $lead_id ) {
			throw new \LogicException( 'stub' );
		}

		/**
		 * fetch_leads() for any object type, for example `contacts`.
		 *
		 * @param mixed $since
		 * @return mixed
		 */
		public function fetch_records( string $object, $since = null ) {
			throw new \LogicException( 'stub' );
		}

		/**
		 * @param array<mixed> $data
		 * @return mixed As create_lead().
		 */
		public function create_record( string $object, array $data ) {
			throw new \LogicException( 'stub' );
		}

		/**
		 * @param int|string $id
		 * @return mixed As get_lead().
		 */
		public function get_record( string $object, $id ) {
			throw new \LogicException( 'stub' );
		}

		/**
		 * @param int|string   $id
		 * @param array<mixed> $data
		 * @return mixed As update_lead().
		 */
		public function update_record( string $object, $id, array $data ) {
			throw new \LogicException( 'stub' );
		}

		/**
		 * @param int|string $id
		 * @return bool As delete_lead().
		 */
		public function delete_record( string $object, $id ) {
			throw new \LogicException( 'stub' );
		}

		/**
		 * Makes or changes a record by a field that is unique in the CRM (see connectors(): `upsert` and `upsert_keys`).
		 *
		 * @param string       $key  Name of the field; $data holds its value.
		 * @param array<mixed> $data
		 * @return mixed As create_lead().
		 */
		public function upsert_record( string $object, string $key, array $data ) {
			throw new \LogicException( 'stub' );
		}

		/**
		 * Several records by id, in as few requests as the CRM allows. Those that are not there are left out.
		 *
		 * @param list<int|string> $ids
		 * @return list<array<mixed>>|false
		 */
		public function get_records( string $object, array $ids ) {
			throw new \LogicException( 'stub' );
		}

		/**
		 * Several new records, in batches where the CRM takes them. One bad record does not hold up the others.
		 *
		 * @param list<array<mixed>> $list
		 * @return list<array{ok: bool, id: ?string, reason: ?string, message: ?string}>|false One entry a record, in their order; false
		 *         where nothing can be said of them (last_error() tells why).
		 */
		public function create_records( string $object, array $list ) {
			throw new \LogicException( 'stub' );
		}

		/**
		 * @param list<array<mixed>> $list Each with its `id`.
		 * @return list<array{ok: bool, id: ?string, reason: ?string, message: ?string}>|false As create_records().
		 */
		public function update_records( string $object, array $list ) {
			throw new \LogicException( 'stub' );
		}

		/**
		 * @param string             $key  As in upsert_record().
		 * @param list<array<mixed>> $list
		 * @return list<array{ok: bool, id: ?string, reason: ?string, message: ?string}>|false As create_records().
		 */
		public function upsert_records( string $object, string $key, array $list ) {
			throw new \LogicException( 'stub' );
		}

		/**
		 * @param list<int|string> $ids
		 * @return list<array{ok: bool, id: ?string, reason: ?string, message: ?string}>|false As create_records(); what was gone before is ok.
		 */
		public function delete_records( string $object, array $ids ) {
			throw new \LogicException( 'stub' );
		}

		/**
		 * Streams every record that changed after the watermark, batch by batch, with the following page already travelling.
		 *
		 * Memory does not grow with the number of pages. Store a batch, then its watermark(); start the next pull, in this
		 * process or another, from what was stored.
		 *
		 * @param string               $object    Object type, for example `leads`.
		 * @param string|null          $watermark What Batch::watermark() returned, or a timestamp of the CRM; null pulls everything.
		 * @param array<string, mixed> $options   `fields` (list<string>: the fields that fingerprints and snapshots cover; default all
		 *                                        but the time of the change), `page_size` (int, 1 to 1000), `ids` (list<int|string>: only
		 *                                        these records, in as few requests as the CRM allows; what it does not have is left out, and
		 *                                        watermark() of the batches is what was given).
		 */
		public function pull( string $object, ?string $watermark = null, array $options = [] ): \TenantCRMSync\Pull {
			throw new \LogicException( 'stub' );
		}

		/**
		 * Streams the records that were deleted after the watermark, where the CRM tells (see connectors(): `deleted`). Of a batch, ids()
		 * and updated_at() count, which is the time of the deletion. Its watermarks are its own.
		 *
		 * @param array<string, mixed> $options As in pull().
		 */
		public function pull_deleted( string $object, ?string $watermark = null, array $options = [] ): \TenantCRMSync\Pull {
			throw new \LogicException( 'stub' );
		}

		/**
		 * Many pulls in one loop: `foreach ( $pulls as $key => $batch )` gives whichever batch has come and whose turn it is, by what the
		 * batches of each have cost so far. While PHP stores one, the next of every pull travels; none waits for a slow one.
		 *
		 * @param array<string, array{client: \TenantCRMSync, object: string, watermark?: ?string, options?: array<string, mixed>, weight?: float}> $pulls
		 *        By a key of your own. options: as in pull(). weight: a pull of weight 2 gets twice the turns of one of weight 1, which is the default.
		 * @param array{wait?: float} $options wait: seconds after which the loop gets null where nothing has come; default: it waits.
		 * @throws \TenantCRMSync\ConfigException Where an entry is unusable. What fails later comes as that pull's value.
		 */
		public static function pull_many( array $pulls = [], array $options = [] ): \TenantCRMSync\Pulls {
			throw new \LogicException( 'stub' );
		}

		/**
		 * The fields that records of a type can have, where the CRM tells (see connectors(): `fields`).
		 *
		 * @return list<array{name: string, label: string, type: ?string, read_only: bool}>|false
		 */
		public function describe( string $object ) {
			throw new \LogicException( 'stub' );
		}

		/**
		 * Makes one small request and says in plain words what is wrong, if anything is. Never throws for a failing connection.
		 *
		 * @return array{ok: bool, problem: ?string, message: string, skew: ?float, milliseconds: float} problem: settings, key, scope, path, dns,
		 *         connect, tls, timeout, host_rules, limit, answer or crm. skew: seconds that the CRM's clock is ahead of this host's.
		 */
		public function test_connection(): array {
			throw new \LogicException( 'stub' );
		}

		/**
		 * Whether a webhook comes from the CRM, and which records it is about. What it says is a hint: fetch the record.
		 *
		 * @param string                              $method  As it was called: `POST`.
		 * @param string                              $url     The public URL as the CRM called it, with its query.
		 * @param array<string, string|list<string>>  $headers Names in any case.
		 * @param string                              $body    The raw bytes.
		 * @return array{scheme: string, replay_key: string, identified: bool, webhook_id: ?string, events: list<array{object: ?string, action: string,
		 *         ids: list<string>, event_id: ?string, account: ?string, occurred_at_ms: ?int, fields: list<string>}>}|false action: create, update, delete or other.
		 *         fields: those that changed, in the CRM's words, where it tells.
		 *         replay_key: the same for the same message; unique for ever only where identified. False whatever is wrong:
		 *         last_error()['body'] has the reason for counting, which is not to be answered to the sender.
		 */
		public function verify_webhook( string $method, string $url, array $headers, string $body ) {
			throw new \LogicException( 'stub' );
		}

		/**
		 * Asks the CRM to send webhooks about an object type, where its API can (see connectors(): `webhook_secrets`). Several may be under
		 * way at once; each is ended by itself.
		 *
		 * @param string $url The public address, or an envelope of encrypt_credential() for the field `webhook_url`.
		 * @return array{id: string, expires_at: ?int, account: ?string}|false expires_at: in seconds since 1970; make another before. account: what
		 *         events will name, where the CRM tells.
		 */
		public function subscribe_webhook( string $object, string $url ) {
			throw new \LogicException( 'stub' );
		}

		/**
		 * @param string $id From subscribe_webhook().
		 * @return bool True, also if it was gone before; false on failure.
		 */
		public function unsubscribe_webhook( string $id ) {
			throw new \LogicException( 'stub' );
		}

		/**
		 * Merges one record three ways, field by field: what one side changed goes to the other, what both changed is decided by a policy.
		 * Pure: nothing is asked or written. A record that a side does not have is null: with a base it was deleted there. A field that a
		 * record does not have is one of which that side says nothing, not one that it cleared. null, '' and [] are the same nothing. Values
		 * are compared with their types: declare "number" or "boolean" in `same` where the CRM writes numbers as texts.
		 *
		 * Options, all optional:
		 *
		 * | option            | type                        | meaning |
		 * |-------------------|-----------------------------|---------|
		 * | policy            | string                      | for fields that both sides changed: crm (default), portal, newest or ask |
		 * | policies          | array<string, string>       | by field, in its place; what waits for a person keeps "ask" until it is decided |
		 * | delete            | string                      | a record that one side deleted and the other changed: crm, portal or ask (default) |
		 * | sets              | list<string>                | fields whose values are sets: what either side added or removed counts, whatever the policy |
		 * | same              | array<string, string\|list> | equivalences by field, see same(); "*" stands for all fields |
		 * | crm_updated_at    | ?string\|int                | newest: the CRM's time of the record, as it wrote it |
		 * | zone              | string                      | the zone of that time if it has no offset; without one it tells nothing |
		 * | portal_updated_at | ?string\|int\|array         | newest: the portal's time, of the record or by field; without an offset it is UTC |
		 * | skew              | int\|float                  | newest: seconds by which the clocks may differ (default 1); closer times ask |
		 * | sent              | array<string, mixed>        | the fields of a write to the CRM that is settled by this merge; needs outcome |
		 * | outcome           | string                      | of that write. answered: $crm is what the write itself answered. done: it was read behind the write. unknown: nobody knows whether it was done |
		 *
		 * @param array<string, mixed>|null $base    What both last agreed on: `base` of the merge before.
		 * @param array<string, mixed>|null $crm     What the CRM has.
		 * @param array<string, mixed>|null $portal  What the portal has.
		 * @param array<string, mixed>      $options As above. Others are refused.
		 * @return array{record: array<string, mixed>, to_crm: array<string, mixed>, to_portal: array<string, mixed>, base: array<string, mixed>|null,
		 *         delete: ?string, conflicts: list<array{field: ?string, base: mixed, crm: mixed, portal: mixed, reason: string}>,
		 *         decisions: array<string, array{from: string, rule: string}>} record: the merged fields, in the order of their names. to_crm, to_portal: what
		 *         is to be written there. base: for the next merge; null if there is none. delete: crm or portal, where the record is to be
		 *         deleted. conflicts: what a person decides, unwritten until then; field null: the whole record. from: equal, both, crm, portal,
		 *         base or set. rule: why, in words.
		 * @throws \TenantCRMSync\ConfigException For an option that is wrong, and for a value that no record has: an object, NAN, text that is not
		 *         UTF-8, arrays too large or too deep. The message names the option, or side and field.
		 */
		public static function merge( ?array $base, ?array $crm, ?array $portal, array $options = [] ): array {
			throw new \LogicException( 'stub' );
		}

		/**
		 * Whether two values are one, though people and servers write them differently.
		 *
		 * @param mixed        $a            Text, number, boolean, null, or an array of such.
		 * @param mixed        $b            The other.
		 * @param list<string> $equivalences trim (white space at the ends, ends of lines), case, email (both), phone (E.164), phone:49 (the same with
		 *                                   the calling code of numbers without one), number, boolean (what forms write for yes and no) and time (to
		 *                                   the second; without an offset UTC). Without any, values are compared with their types.
		 * @throws \TenantCRMSync\ConfigException For an unknown equivalence, and for a value that merge() refuses.
		 */
		public static function same( $a, $b, array $equivalences = [] ): bool {
			throw new \LogicException( 'stub' );
		}

		/**
		 * Whether one of a CRM's revisions (updated_at, or a number that grows) is surely newer than another.
		 *
		 * @param string|null $revision As the CRM wrote it.
		 * @param string|null $than     As the CRM wrote it; everything is newer than null and ''.
		 * @return bool|null Null if nobody can tell: then read the record itself. Within one second, where the CRM writes whole ones, nothing is
		 *         newer; times without an offset are only compared if they are more than an hour apart, for a zone may repeat one.
		 */
		public static function is_newer( ?string $revision, ?string $than ): ?bool {
			throw new \LogicException( 'stub' );
		}

		/**
		 * What is known of each CRM, the site's own connectors included.
		 *
		 * @return array<string, array{title: string, notes: list<string>,
		 *         fields: array<string, array{title: string, help: ?string, secret: bool, default: ?string, bound_to: ?string}>,
		 *         auth: array<string, array{title: string, fields: list<string>, oauth2: bool, consent: bool}>,
		 *         objects: array<string, array{full: bool, since: bool, one: bool, by_ids: bool, deleted: bool, fields: bool, create: bool, update: bool,
		 *         upsert: bool, delete: bool, batch: list<string>, upsert_keys: list<string>, neutral: list<string>, cannot: array<string, string>}>,
		 *         limits: list<array{scope: string, amount: int, seconds: int, unit: string, plan: ?string, auth: list<string>, daily: bool,
		 *         reserve: float, note: ?string}>, webhooks: bool, webhook_accounts: bool, webhook_note: string, webhook_secrets: ?list<string>,
		 *         probe: bool}> webhook_accounts: its webhooks name the account that they are about. webhook_secrets: fields of the connection
		 *         that must be made up before subscribe_webhook(); null: a person enters the address at the CRM.
		 */
		public static function connectors(): array {
			throw new \LogicException( 'stub' );
		}

		/**
		 * Why the last call of this object failed; null if it did not.
		 *
		 * @return array{kind: string, message: string, tenant: string, operation: string, status: ?int, reason: ?string, retry_after: ?float, attempts: int, body: ?string}|null
		 *         kind: config, credential, egress, connect, tls, timeout, transport, http, rate_limited, too_large, decode, encode or cancelled.
		 *         reason, where an answer came: expired, unauthorized, forbidden, missing, duplicate, conflict, invalid, rate_limited, quota, busy,
		 *         transient, stale_cursor or failed. retry_after: seconds. body: a redacted excerpt.
		 */
		public function last_error(): ?array {
			throw new \LogicException( 'stub' );
		}

		/**
		 * Failures throw a \TenantCRMSync\Exception from now on, instead of returning false.
		 */
		public function throw_errors( bool $on = true ): static {
			throw new \LogicException( 'stub' );
		}

		/**
		 * Seals a credential for one tenant and field with the tenant's own data key. A reference to a secrets manager is returned as it is, if
		 * the host's template lets this tenant use it, and otherwise refused with a CredentialException.
		 *
		 * @param int|string  $tenant_id
		 * @param string|null $endpoint  The endpoint it is for: another origin will not get it. Where it is not given, that of the
		 *                               tenant's current settings; where there are none, the origin of its first use.
		 * @return string An envelope, ASCII, safe to store in a database.
		 * @throws \TenantCRMSync\CredentialException Without a host key: nothing is ever stored as plain text.
		 */
		public static function encrypt_credential( $tenant_id, string $plaintext, string $field = 'api_key', ?string $endpoint = null ): string {
			throw new \LogicException( 'stub' );
		}

		/**
		 * The same credential sealed anew with the newest host key. The plain text is not returned.
		 *
		 * @param int|string $tenant_id
		 * @throws \TenantCRMSync\CredentialException
		 */
		public static function rotate_credential( $tenant_id, string $envelope, string $field = 'api_key' ): string {
			throw new \LogicException( 'stub' );
		}

		/**
		 * Destroys the tenant's data key: its envelopes, also those in backups of the database, cannot be opened again.
		 *
		 * @param int|string $tenant_id
		 * @return bool false if there was none.
		 */
		public static function forget_tenant( $tenant_id ): bool {
			throw new \LogicException( 'stub' );
		}

		/**
		 * Names the site for this request. Two sites with the same tenant ids keep separate keys. Default: ''.
		 */
		public static function use_site( string $site_id ): void {
			throw new \LogicException( 'stub' );
		}

		/**
		 * Where a person agrees in the browser that the portal may use the CRM; for connections whose grant is authorization_code.
		 *
		 * @param string      $redirect_uri   Where the CRM sends the browser back to; it must be entered at the CRM.
		 * @param string      $state          Random, remembered for this person: what comes back must be equal.
		 * @param string|null $code_challenge base64url( sha256( verifier ) ), where the CRM wants PKCE.
		 * @throws \TenantCRMSync\ConfigException Where this connection needs no consent.
		 */
		public function authorize_url( string $redirect_uri, string $state, ?string $code_challenge = null ): string {
			throw new \LogicException( 'stub' );
		}

		/**
		 * Exchanges the code that came back for the first tokens, and stores them in place of what was there.
		 *
		 * @param string $redirect_uri As in authorize_url().
		 * @return bool true; false on failure.
		 */
		public function exchange_code( string $code, string $redirect_uri, ?string $code_verifier = null ): bool {
			throw new \LogicException( 'stub' );
		}

		/**
		 * Names the store that keeps OAuth tokens, for this request; null: none. Without one, only grants that need none work:
		 * client_credentials and jwt_bearer, with tokens that each process gets for itself.
		 */
		public static function use_token_store( ?\TenantCRMSync\TokenStore $store ): void {
			throw new \LogicException( 'stub' );
		}

		/**
		 * Makes the calls that follow in this request of PHP part of a trace: each attempt passes it on to the CRM with a span of its
		 * own, and attempts() and the log file name both. A pull keeps the trace that it was asked for in, whatever is set while it is read.
		 *
		 * @param string|null $traceparent Value of a W3C `traceparent` header; 'new' begins a trace; null, and what is no such value, ends it.
		 * @return string|null What is set now.
		 */
		public static function trace( ?string $traceparent ): ?string {
			throw new \LogicException( 'stub' );
		}

		/**
		 * Takes away what is known of the requests that this process sent for this site: every attempt, oldest first. The last 2,000 are
		 * kept until they are taken, but no longer than this request of PHP; status() counts what was lost. No query, no secret.
		 *
		 * @return list<array{tenant: string, at: float, method: string, operation: string, status: ?int, milliseconds: float, attempt: int,
		 *               sent: int, received: int, outcome: string, excerpt: ?string, trace_id: ?string, span_id: ?string}>
		 *         at: seconds since 1970. attempt: from 1 within a call. sent, received: bytes of the bodies. outcome: `ok`, `cancelled`, or
		 *         the reason or kind of an exception. excerpt: only of failures, redacted.
		 */
		public static function attempts( int $max = 1000 ): array {
			throw new \LogicException( 'stub' );
		}

		/**
		 * What is left of the CRM's limits, as this connection's requests draw on them. Tenants with one account share its limits.
		 *
		 * @return list<array{name: string, unit: string, scope: string, amount: int, seconds: int, daily: bool, used: int, left: int, free_at: ?float,
		 *         held_until: ?float}> amount: without the reserve. free_at: when the next request may go, in seconds since 1970; null: now.
		 *         held_until: the CRM has asked to wait until then.
		 * @throws \TenantCRMSync\Exception Where the connection cannot be prepared.
		 */
		public function limits(): array {
			throw new \LogicException( 'stub' );
		}

		/**
		 * A limiter for calls that other code makes: all processes of this host's user, or all hosts where Redis is configured, draw from
		 * the budget of this name.
		 *
		 * @param int      $amount  So many in any window of that length, at most; 2 or more.
		 * @param float    $seconds Length of the window; 32 days at most.
		 * @param int|null $burst   What may be spent at once; default a tenth of the amount. The rest comes evenly.
		 * @throws \TenantCRMSync\ConfigException
		 */
		public static function limiter( string $name, int $amount, float $seconds, ?int $burst = null ): \TenantCRMSync\Limiter {
			throw new \LogicException( 'stub' );
		}

		/**
		 * The counts of hours and days, to be kept where a restart of the host does not lose them. Opaque, ASCII; no names in it.
		 */
		public static function checkpoint_limits(): string {
			throw new \LogicException( 'stub' );
		}

		/**
		 * Takes up what checkpoint_limits() returned, where it is more than what is known. As often as you like.
		 *
		 * @return int How many counts it held.
		 * @throws \TenantCRMSync\ConfigException Where it is something else.
		 */
		public static function restore_limits( string $checkpoint ): int {
			throw new \LogicException( 'stub' );
		}

		/**
		 * Wakes those who wait in wait_for_wake() on any host, where Redis is configured.
		 *
		 * @param string $channel Any name; the site's is added.
		 * @return bool Whether somebody could be told.
		 */
		public static function wake( string $channel = '' ): bool {
			throw new \LogicException( 'stub' );
		}

		/**
		 * Waits for the next wake(), or for one since the last call of this process; the first call also hears the last one of the day, which it
		 * may have missed.
		 *
		 * @return bool|null true: woken. false: nobody called. null, at once: there is no Redis, or it is away.
		 */
		public static function wait_for_wake( float $seconds, string $channel = '' ): ?bool {
			throw new \LogicException( 'stub' );
		}

		/**
		 * What phpinfo() shows: version, key source and state, connections, paths. No secrets.
		 *
		 * @return array{version: string, key_file: string, keys: int, key_error: ?string, key_dir: string, ca_file: string, allow_http: bool,
		 *               allow_private_networks: bool, engine_running: bool, requests: int, log_file: string, log_error: ?string, attempts_dropped: int,
		 *               limit_file: string, limit_error: ?string, limit_slots: int, limit_slots_used: int, redis: ?string} limit_error: why limits
		 *               are not counted where they should be; each process goes on with a small part of them. redis: null (not configured),
		 *               `ok`, or why it is away.
		 */
		public static function status(): array {
			throw new \LogicException( 'stub' );
		}
	}
}

namespace TenantCRMSync {

	/**
	 * Keeps each tenant's OAuth token for all processes and hosts of a site. Register one with \TenantCRMSync::use_token_store().
	 *
	 * Every method takes effect at once and for good, whatever becomes of the caller's transaction: use a database connection of
	 * its own, with autocommit. One process at a time asks the CRM for a new token: it holds the tenant's lease. Envelopes are
	 * sealed: nothing in them can be read or changed here. Exceptions become \TenantCRMSync\CredentialException.
	 */
	interface TokenStore {

		/**
		 * @return array{version: int, envelope: string, expires_at: ?int, state: string}|null What is stored; null: nothing.
		 *         version: counts the commits, from 1. state: `ok` or `reconnect`.
		 */
		public function load( string $tenant ): ?array;

		/**
		 * A lease, by the store's own clock, if the stored version is still $version (0: nothing is stored) and nobody holds one
		 * that has not run out. The state does not matter.
		 *
		 * @return string|null Random text that names the lease; null: not now.
		 */
		public function lease( string $tenant, int $version, float $seconds ): ?string;

		/**
		 * Stores version $version + 1 with state `ok`, and ends the lease.
		 *
		 * @param int|null $expires_at When the token ends, in seconds since 1970; only to be shown.
		 * @return bool False, and nothing stored, if the lease is not the last one that was given or the version is not $version.
		 */
		public function commit( string $tenant, string $lease, int $version, string $envelope, ?int $expires_at ): bool;

		/** Ends the lease, if it is the last one that was given. */
		public function release( string $tenant, string $lease ): void;

		/** If the version is still $version: state `reconnect`, and no lease any more. $reason is for people. */
		public function refuse( string $tenant, int $version, string $reason ): void;
	}

	/** See \TenantCRMSync::limiter(). */
	final class Limiter {

		/**
		 * Takes what a call costs, or nothing.
		 *
		 * @return float 0.0: go ahead. Otherwise the seconds after which it is worth asking again.
		 */
		public function admit( int $cost = 1 ): float {
			throw new \LogicException( 'stub' );
		}
	}

	/**
	 * What pull() returns. Goes forward only; ends with an exception where the CRM cannot be read, after the batches that could.
	 *
	 * @implements \Iterator<int, Batch>
	 */
	final class Pull implements \Iterator {
		public function current(): Batch {
			throw new \LogicException( 'stub' );
		}
		public function key(): int {
			throw new \LogicException( 'stub' );
		}
		public function next(): void {
			throw new \LogicException( 'stub' );
		}
		public function rewind(): void {
			throw new \LogicException( 'stub' );
		}
		public function valid(): bool {
			throw new \LogicException( 'stub' );
		}
	}

	/**
	 * What pull_many() returns. Goes forward only; pulls may be added and dropped inside of the loop, which ends when none is left.
	 *
	 * @implements \Iterator<?string, Batch|Exception|null>
	 */
	final class Pulls implements \Iterator, \Countable {

		/**
		 * One more pull.
		 *
		 * @param array<string, mixed> $options As in pull().
		 * @throws ConfigException Where a pull of this key is under way, or an argument is unusable.
		 */
		public function add( string $key, \TenantCRMSync $client, string $object, ?string $watermark = null, array $options = [], float $weight = 1.0 ): void {
			throw new \LogicException( 'stub' );
		}

		/** Gives a pull up; what of it has come and was not seen yet is fetched again from the last watermark. A key that is not there is none. */
		public function drop( string $key ): void {
			throw new \LogicException( 'stub' );
		}

		/** Pulls that have not ended. */
		public function count(): int {
			throw new \LogicException( 'stub' );
		}

		/** @return Batch|Exception|null A batch; why this pull has ended, which is not thrown; null where nothing has come in time. */
		public function current(): mixed {
			throw new \LogicException( 'stub' );
		}

		/** The key of the pull; null where nothing has come in time. */
		public function key(): ?string {
			throw new \LogicException( 'stub' );
		}
		public function next(): void {
			throw new \LogicException( 'stub' );
		}
		public function rewind(): void {
			throw new \LogicException( 'stub' );
		}
		public function valid(): bool {
			throw new \LogicException( 'stub' );
		}
	}

	/**
	 * One page of records. Arrays are built only for the rows that are asked for. Positions count from 0.
	 */
	final class Batch implements \Countable {

		/** Records in this batch, refused ones not counted. */
		public function count(): int {
			throw new \LogicException( 'stub' );
		}

		/** @return list<string> The CRM's ids, always strings. */
		public function ids(): array {
			throw new \LogicException( 'stub' );
		}

		/** @return list<string> 16 raw bytes each, equal for records that are equal in the mapped fields. */
		public function fingerprints(): array {
			throw new \LogicException( 'stub' );
		}

		/** @return list<?string> The CRM's own time of the last change, as it wrote it. */
		public function updated_at(): array {
			throw new \LogicException( 'stub' );
		}

		/** @return array<mixed> One record, as json_decode( ..., true ) gives it. */
		public function row( int $position ): array {
			throw new \LogicException( 'stub' );
		}

		/** All records of the batch, as `row()` gives each. @return list<array<mixed>> */
		public function rows(): array {
			throw new \LogicException( 'stub' );
		}

		/** @return array<mixed> One record in the neutral shape (id, updated_at and the mapped fields); as row() where nothing is mapped. */
		public function record( int $position ): array {
			throw new \LogicException( 'stub' );
		}

		/** @return list<array<mixed>> All records in the neutral shape. */
		public function records(): array {
			throw new \LogicException( 'stub' );
		}

		/** @return string JSON object of the mapped fields; where nothing is mapped, as the CRM wrote them. */
		public function snapshot( int $position ): string {
			throw new \LogicException( 'stub' );
		}

		/** @return list<array{position: int, id: ?string, reason: string}> Records that cannot be read, and why. */
		public function refused(): array {
			throw new \LogicException( 'stub' );
		}

		/** Opaque. Store it after the rows. */
		public function watermark(): string {
			throw new \LogicException( 'stub' );
		}

		/** Whether this is the last batch of the pull. */
		public function is_last(): bool {
			throw new \LogicException( 'stub' );
		}

		/** @return array{page: int, bytes: int, milliseconds: float, attempts: int, skipped: int, unasked: int} skipped: rows that are no records of
		 *         this list. unasked: rows older than what was asked for; the CRM ignores the filter. */
		public function stats(): array {
			throw new \LogicException( 'stub' );
		}
	}

	/** Every failure. Its code is the HTTP status, or 0. Properties hold no secret. */
	class Exception extends \RuntimeException {
		/** @var string The tenant's id. */
		public $tenant = '';
		/** @var string As in last_error(). */
		public $kind = '';
		/** @var string Method and address, without the query. */
		public $operation = '';
		/** @var int|null HTTP status, where an answer came. */
		public $status = null;
		/** @var string|null As in last_error(). */
		public $reason = null;
		/** @var float|null Seconds that the CRM asks to wait. */
		public $retry_after = null;
		/** @var int Requests that were sent. */
		public $attempts = 0;
		/** @var string|null A redacted excerpt of the answer. */
		public $body = null;
	}

	/** Settings, INI or arguments are unusable; the message names the remedy. */
	class ConfigException extends Exception {}

	/** A credential cannot be sealed or opened. */
	class CredentialException extends Exception {}

	/** The host's rules forbid the call. */
	class EgressException extends Exception {}

	/** The CRM could not be reached, or the answer did not arrive whole and in time. */
	class TransportException extends Exception {}

	/** The CRM answered with an error status. */
	class HttpException extends Exception {}

	/** The CRM asks to wait: see $retry_after. */
	class RateLimitException extends HttpException {}

	/** The answer is not what was expected: not JSON, or without records. */
	class DecodeException extends Exception {}
}
