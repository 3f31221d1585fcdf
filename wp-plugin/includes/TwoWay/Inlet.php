<?php
/**
 * The way in for forms and other code: makes a lead of the portal, or changes the one of the same person, and has it pushed like any other
 * change. Person by person in one transaction, so that two requests, or a request and a pull, never make two leads of one.
 *
 * @package TenantCRM
 */

namespace TenantCRM\TwoWay;

use TenantCRM\Caches;
use TenantCRM\Fields;
use TenantCRM\Lead;
use TenantCRM\PostWriter;
use TenantCRM\Privacy\Suppressions;
use TenantCRM\Schema;
use TenantCRM\Sql;
use TenantCRM\StoredPost;
use TenantCRM\Tenant;
use TenantCRM\Tenants;
use TenantCRM\Transaction;

final class Inlet {

	/** The longest value that is taken, in bytes: forms are open to everybody. */
	private const LONGEST = 65536;

	/**
	 * @param array<string, mixed> $data By field of the mapping; empty values say nothing.
	 * @param string|null          $known_by What the unique field was before, where that changes.
	 * @return int The lead's post.
	 * @throws \InvalidArgumentException In plain words.
	 * @throws \TenantCRM\StoreException Where the database refuses.
	 */
	public static function push( string $tenant_id, string $object, array $data, ?string $known_by = null ): int {
		$tenant = Tenants::find( $tenant_id );
		if ( ! $tenant ) {
			throw new \InvalidArgumentException( "There is no tenant \"$tenant_id\"." );
		}
		$rules = Rules::of( $tenant, $object );
		if ( ! $rules->is_two_way() ) {
			throw new \InvalidArgumentException( "Nothing goes to the CRM of tenant \"$tenant_id\": its direction for $object is from_crm." );
		}
		$fields = Fields::of( $tenant, $object );
		$given  = self::checked( $data, $fields );
		if ( ! $given ) {
			throw new \InvalidArgumentException( 'There is nothing in the data that the mapping knows. It knows: ' . implode( ', ', array_keys( $fields->map() ) ) . '.' );
		}
		if ( is_string( $given['email'] ?? null ) && Suppressions::has_person( $given['email'] ) ) {
			throw new \InvalidArgumentException( 'This person was erased from the portal and is kept away. Once there is consent again, “tenant-crm privacy lift” lets the person come back.' );
		}
		$hashes = array_values( array_unique( array_filter( array( $rules->unique_hash( $given[ $rules->unique ] ?? null ), $rules->unique_hash( $known_by ) ) ) ) );
		$post   = Transaction::run( static fn( Transaction $transaction ): int => self::store( $transaction, new PostWriter( $transaction, $tenant, $fields ), $tenant, $rules, $fields, $given, $hashes ) );
		Caches::clean( array( $post ) );
		Changes::ring( $tenant->key, $object );
		/**
		 * A lead came in by tenant_crm_sync_push().
		 *
		 * @param int                  $post
		 * @param Tenant               $tenant
		 * @param array<string, mixed> $given  What was taken of the data.
		 */
		do_action( 'tenant_crm_sync_lead_pushed', $post, $tenant, $given );
		return $post;
	}

	/**
	 * @param array<string, mixed> $given
	 * @param list<string>         $hashes By what the person is, or was, known.
	 */
	private static function store( Transaction $transaction, PostWriter $posts, Tenant $tenant, Rules $rules, Fields $fields, array $given, array $hashes ): int {
		foreach ( self::find( $transaction, $tenant, $rules, $hashes ) as $known => $is_own ) {
			$subject = Subject::lock( $transaction, $posts, array(), array( $known ) )[0] ?? null;
			if ( ! $subject || ! $subject->post || 'trash' === $subject->post->status || ! $subject->is_of( $tenant->id ) ) {
				continue;
			}
			if ( $is_own ) {
				// It says who it is, however it was typed this time; what the lead's is by now was somebody's edit.
				unset( $given[ $rules->unique ] );
			}
			self::change( $posts, $fields, $subject->post, $given );
			$transaction->query( Changes::mark_sql( $tenant->key, $rules->object, $known, $subject->row ? (int) $subject->row['id'] : null, get_current_user_id(), $is_own ? null : $hashes[0] ?? null, FieldTimes::of_fields( array_values( array_intersect_key( $fields->map(), $given ) ) ) ) );
			return $known;
		}
		$form = $fields->portal( $given );
		$post = $posts->insert( array( new Lead( '', '', '', '', $form['title'], array_filter( $form['meta'], 'strlen' ), array(), '', null, null ) ) )[0];
		$transaction->query( Changes::mark_sql( $tenant->key, $rules->object, $post, null, get_current_user_id(), $hashes[0] ?? null, FieldTimes::of_fields( array(), true ) ) );
		return $post;
	}

	/**
	 * The leads of a person: by what they are known now, by what was sent of them, by what the CRM has.
	 *
	 * @param list<string> $hashes
	 * @return array<int, bool> By post, the likeliest first: whether it is known by the first of them.
	 */
	private static function find( Transaction $transaction, Tenant $tenant, Rules $rules, array $hashes ): array {
		if ( ! $hashes ) {
			return array();
		}
		$own     = sprintf( 'tenant = %d AND object = %s', $tenant->key, Sql::bytes( $rules->object ) );
		$in      = implode( ',', array_map( array( Sql::class, 'bytes' ), $hashes ) );
		$changes = Schema::table( 'changes' );
		$records = Schema::table( 'records' );
		// Locked, and so is the gap where there is none: a pull that brings the same person waits.
		$rows  = $transaction->rows( "SELECT post_id, person AS hash FROM `$changes` WHERE $own AND person IN ($in) ORDER BY id FOR UPDATE" );
		$rows  = array_merge( $rows, $transaction->rows( "SELECT post_id, unique_hash AS hash FROM `$changes` WHERE $own AND unique_hash IN ($in) ORDER BY id FOR UPDATE" ) );
		$rows  = array_merge( $rows, $transaction->rows( "SELECT post_id, unique_hash AS hash FROM `$records` WHERE $own AND unique_hash IN ($in) AND gone IN (0, 3) AND post_id IS NOT NULL ORDER BY id FOR UPDATE" ) );
		$found = array();
		foreach ( $rows as $row ) {
			$found += array( (int) $row['post_id'] => $row['hash'] === $hashes[0] );
		}
		return $found;
	}

	/** @param array<string, mixed> $given */
	private static function change( PostWriter $posts, Fields $fields, StoredPost $post, array $given ): void {
		$form  = $fields->portal( $given );
		$has   = $post->first_meta();
		$title = null;
		$meta  = array();
		foreach ( array_intersect_key( $fields->map(), $given ) as $target ) {
			if ( 'title' === $target ) {
				$title = $form['title'] === $post->title ? null : $form['title'];
			} elseif ( ( $has[ $target ] ?? null ) !== $form['meta'][ $target ] ) {
				$meta[ $target ] = $form['meta'][ $target ];
			}
		}
		if ( null !== $title || $meta ) {
			$posts->write( $post, $title, $meta );
			$posts->flush();
		}
	}

	/**
	 * @param array<string, mixed> $data
	 * @return array<string, mixed>
	 */
	private static function checked( array $data, Fields $fields ): array {
		$given = array();
		foreach ( array_intersect_key( $data, $fields->map() ) as $field => $value ) {
			if ( null === $value || '' === $value || array() === $value || ( is_string( $value ) && '' === trim( $value ) ) ) {
				continue;
			}
			if ( ( ! is_scalar( $value ) && ! is_array( $value ) ) || strlen( (string) wp_json_encode( $value ) ) > self::LONGEST ) {
				throw new \InvalidArgumentException( "The field \"$field\" is neither a text, a number nor a list, or it is too long." );
			}
			$given[ $field ] = is_string( $value ) ? trim( wp_check_invalid_utf8( $value, true ) ) : $value;
		}
		return $given;
	}
}
