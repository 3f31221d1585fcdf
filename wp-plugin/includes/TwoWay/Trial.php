<?php
/**
 * Transactions that are rolled back: the real code stores, what it would have changed is read, and nothing stays. What the CRM would get is
 * told here instead of sent. Which batches and leads are tried is Preview's business.
 *
 * @package TenantCRM
 */

namespace TenantCRM\TwoWay;

use TenantCRM\Fields;
use TenantCRM\Lead;
use TenantCRM\PostWriter;
use TenantCRM\Progress;
use TenantCRM\Schema;
use TenantCRM\Sql;
use TenantCRM\Tenant;
use TenantCRM\Transaction;

final class Trial {

	/** @var array<string, array<string, mixed>> What would change, by side, record and field. */
	public array $changes = array();

	/** @var array<string, string> Why something would not be exchanged, by record. */
	public array $notes = array();

	/** @var array<int, int> Ledger ids of records that would be read one by one. */
	public array $hints = array();

	/** Records that would be written to the CRM, and reads before them that were not needed here. */
	public int $writes = 0;
	public int $looks  = 0;

	/** Whether a person is looked for: the real push asks for the list of changes then. */
	public bool $searches = false;

	/** @var array<string, Lead> What the CRM has, by hash of the id. */
	private array $leads = array();

	/** @var array<string, array<string, mixed>> What is written to the CRM, by record. */
	private array $sent = array();

	/** @var array<int|string, array<string, string|null>> Ledger rows behind the last transaction, by post. */
	private array $last = array();

	private readonly Rules $rules;

	public function __construct( private readonly Tenant $tenant, private readonly string $object, private readonly Fields $fields ) {
		$this->rules = Rules::of( $tenant, $object );
	}

	public function saw( ?Lead $lead ): void {
		if ( $lead ) {
			$this->leads[ $lead->hash ] = $lead;
		}
	}

	/**
	 * @template T
	 * @param callable(Transaction): array{0: T, 1: Progress} $work
	 * @param list<string>                                    $hashes Of the records that it is about.
	 * @param list<int>                                       $posts  Posts that it is about.
	 * @return T
	 */
	public function run( callable $work, array $hashes, array $posts ) {
		try {
			Transaction::run(
				function ( Transaction $transaction ) use ( $work, $hashes, $posts ): void {
					$before                   = $this->marks();
					list( $result, $progress ) = $work( $transaction );
					$sent                     = $this->follow( $transaction, $before );
					throw new RolledBack( $result, $progress, $this->state( $hashes, array_merge( $posts, $progress->touched() ) ), $sent );
				}
			);
		} catch ( RolledBack $end ) {
			$was = $this->state( $hashes, array_merge( $posts, array_diff( $end->progress->touched(), $end->progress->created ) ) );
			$this->compare( $was, $end->state, $end->progress );
			$this->last = array_column( array_filter( $end->state['records'], static fn( array $row ): bool => null !== $row['post_id'] ), null, 'post_id' );
			foreach ( $end->sent as list( $subject, $settled ) ) {
				++$this->looks;
				$this->send( $settled->delete ? 'delete' : ( $settled->anew ? 'create' : 'update' ), $settled->anew ? '' : (string) $subject->row['crm_id'], $subject, $settled->to_crm );
			}
			return $end->result;
		}
	}

	/**
	 * What the CRM would get.
	 *
	 * @param string               $id   Of the record; empty for a new one.
	 * @param array<string, mixed> $data
	 */
	public function send( string $verb, string $id, Subject $subject, array $data ): void {
		if ( 'create' === $verb && ! $data && $subject->post ) {
			// Its record is gone, and the lead becomes a new one, unless the CRM knows the person.
			$this->searches = true;
			$data = Projection::portal( $this->fields, $subject->post, null, null );
		}
		$name = '' === $id ? 'post ' . ( $subject->post->id ?? 0 ) : $id;
		$lead = '' === $id ? null : $this->leads[ hash( 'sha256', $id, true ) ] ?? null;
		$crm  = $lead ? (array) json_decode( $lead->base, true ) : array();
		if ( ! isset( $this->sent[ "$verb $name" ] ) ) {
			++$this->writes;
			$this->sent[ "$verb $name" ] = $data;
		}
		foreach ( $data ? $data : array( '' => null ) as $field => $value ) {
			$rule = Origins::of( $this->last[ $subject->post->id ?? 0 ]['origins'] ?? $subject->row['origins'] ?? null, (string) $field )['rule'] ?? '';
			$this->add( 'crm', $verb, $name, $subject->post->id ?? null, (string) $field, $crm[ $field ] ?? null, $value, '' === $rule || '' === $id ? 'changed in the portal only' : $rule );
		}
	}

	/** @param array<string, string|null> $change */
	public function note( array $change, string $reason ): void {
		$this->notes[ "post {$change['post_id']}" ] = $reason;
	}

	/**
	 * Leads of which a batch said that the CRM must get something: settled once more, as the push behind it would do.
	 *
	 * @param array<int, string> $before Marks by post.
	 * @return list<array{0: Subject, 1: Settled}>
	 */
	private function follow( Transaction $transaction, array $before ): array {
		$sent  = array();
		$posts = new PostWriter( $transaction, $this->tenant, $this->fields );
		foreach ( array_keys( array_diff_key( $this->marks(), $before ) ) as $post ) {
			$subject = Subject::lock( $transaction, $posts, array(), array( $post ) )[0] ?? null;
			if ( ! $subject || ! $subject->row ) {
				continue;
			}
			$settlement = new Settlement( $transaction, $this->tenant, $this->fields, $this->rules, $posts );
			$settled    = $settlement->settle( $subject, $this->leads[ $subject->row['id_hash'] ] ?? null );
			$settlement->flush();
			if ( $settled->is_dirty() ) {
				$sent[] = array( $subject, $settled );
			}
		}
		return $sent;
	}

	/** @return array<int, string> */
	private function marks(): array {
		return array_column( Sql::rows( sprintf( 'SELECT post_id, marks FROM `%s` WHERE tenant = %d AND object = %s', Schema::table( 'changes' ), $this->tenant->key, Sql::bytes( $this->object ) ) ), 'marks', 'post_id' );
	}

	/**
	 * What the database has of some records and posts now.
	 *
	 * @param list<string> $hashes
	 * @param list<int>    $posts
	 * @return array{records: array<string, array<string, string|null>>, posts: array<int, array<string, string>>, asks: array<string, array<string, string|null>>}
	 */
	private function state( array $hashes, array $posts ): array {
		global $wpdb;
		$own   = sprintf( 'tenant = %d AND object = %s', $this->tenant->key, Sql::bytes( $this->object ) );
		$or    = array( '0' );
		$or[]  = $hashes ? 'id_hash IN (' . implode( ',', array_map( array( Sql::class, 'bytes' ), $hashes ) ) . ')' : '0';
		$or[]  = $posts ? 'post_id IN (' . implode( ',', array_map( 'intval', $posts ) ) . ')' : '0';
		$rows  = array_column( Sql::rows( 'SELECT id, crm_id, id_hash, post_id, state, owner, hint, gone, origins FROM `' . Schema::table( 'records' ) . "` WHERE $own AND (" . implode( ' OR ', $or ) . ')' ), null, 'id_hash' );
		$ids   = array_unique( array_merge( array_map( 'intval', $posts ), array_map( 'intval', array_filter( array_column( $rows, 'post_id' ) ) ) ) );
		$state = array();
		if ( $ids ) {
			$list = implode( ',', $ids );
			foreach ( Sql::rows( "SELECT ID, post_title, post_status FROM `$wpdb->posts` WHERE ID IN ($list)" ) as $post ) {
				$state[ (int) $post['ID'] ] = array( 'title' => (string) $post['post_title'], ' status' => (string) $post['post_status'] ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
			}
			$keys = implode( ',', array_map( array( Sql::class, 'text' ), array_merge( array( '_tenant_id' ), $this->fields->meta_keys() ) ) );
			foreach ( Sql::rows( "SELECT post_id, meta_key, meta_value FROM `$wpdb->postmeta` WHERE post_id IN ($list) AND meta_key IN ($keys) ORDER BY meta_id DESC" ) as $meta ) {
				$state[ (int) $meta['post_id'] ][ 'meta ' . $meta['meta_key'] ] = (string) $meta['meta_value'];
			}
		}
		$asks = Sql::rows( "SELECT CONCAT(record, ' ', post_id, ' ', field) AS name, kind, record, post_id, field, crm, portal, reason FROM `" . Schema::table( 'conflicts' ) . "` WHERE $own AND state = 'open'" );
		return array( 'records' => $rows, 'posts' => $state, 'asks' => array_column( $asks, null, 'name' ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
	}

	/**
	 * @param array<string, array<mixed>> $was
	 * @param array<string, array<mixed>> $is
	 */
	private function compare( array $was, array $is, Progress $progress ): void {
		$known = array_column( $is['records'], 'crm_id', 'id' ) + array_column( $was['records'], 'crm_id', 'id' );
		foreach ( $is['records'] as $hash => $row ) {
			$old = $was['records'][ $hash ] ?? null;
			if ( in_array( (int) $row['hint'], array( Looks::LOOK, Looks::ALLOWED ), true ) && isset( $old['id'] ) && $old['hint'] !== $row['hint'] ) {
				$this->hints[ (int) $row['id'] ] = (int) $row['id'];
			}
			if ( ! $old && Looks::LOOK === (int) $row['hint'] ) {
				$this->notes[ (string) $row['crm_id'] ] = 'This may be somebody who has a lead already, or whom the CRM is just being told of: the record is read once more before it becomes a lead.';
			}
			foreach ( $old ? array( 'state', 'owner' ) : array() as $column ) {
				if ( (string) $old[ $column ] !== (string) $row[ $column ] ) {
					$this->add( 'portal', 'update', (string) $row['crm_id'], (int) $row['post_id'], $column, $old[ $column ], $row[ $column ], 'shown in lists as the CRM has it' );
				}
			}
			$this->compare_post( $row, $was['posts'][ (int) $row['post_id'] ] ?? null, $is['posts'][ (int) $row['post_id'] ] ?? null );
		}
		foreach ( $is['asks'] as $name => $ask ) {
			if ( $ask !== ( $was['asks'][ $name ] ?? null ) ) {
				$this->add( 'both', 'ask', $known[ $ask['record'] ] ?? "post {$ask['post_id']}", (int) $ask['post_id'], (string) $ask['field'], json_decode( (string) $ask['portal'], true ), json_decode( (string) $ask['crm'], true ), (string) $ask['reason'] );
			}
		}
		foreach ( $progress->refused as $refusal ) {
			$this->notes[ (string) $refusal['id'] ] = $refusal['reason'];
		}
	}

	/**
	 * @param array<string, string|null>  $row
	 * @param array<string, string>|null  $old
	 * @param array<string, string>|null  $new
	 */
	private function compare_post( array $row, ?array $old, ?array $new ): void {
		if ( ! $new || $old === $new ) {
			return;
		}
		$verb = null === $old ? 'create' : 'update';
		$id   = (string) $row['crm_id'];
		$post = null === $old ? null : (int) $row['post_id'];
		if ( $old && $old[' status'] !== $new[' status'] ) {
			$verb = 'trash' === $new[' status'] ? 'bin' : 'restore';
			$this->add( 'portal', $verb, $id, $post, '', $old[' status'], $new[' status'], 'bin' === $verb ? 'deleted in the CRM' : 'there again in the CRM' );
		}
		foreach ( $this->fields->map() as $field => $target ) {
			$name = 'title' === $target ? 'title' : "meta $target";
			if ( ( $old[ $name ] ?? '' ) !== ( $new[ $name ] ?? '' ) ) {
				$rule = $this->rules->is_two_way() ? Origins::of( $row['origins'], (string) $field )['rule'] ?? '' : 'one way: the CRM counts';
				$this->add( 'portal', 'create' === $verb ? $verb : 'update', $id, $post, (string) $field, $old[ $name ] ?? null, $new[ $name ] ?? null, $rule );
			}
		}
	}

	/**
	 * @param mixed $from
	 * @param mixed $to
	 */
	private function add( string $side, string $action, string $record, ?int $post, string $field, $from, $to, string $rule ): void {
		$this->changes[ "$side $record $field $action" ] = compact( 'side', 'action', 'record', 'post', 'field', 'from', 'to', 'rule' );
	}
}
