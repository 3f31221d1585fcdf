<?php
/**
 * Who may do what: the three capabilities, and which tenants a user belongs to.
 *
 * - manage_tenant_crm: add, change and delete tenants; sees every tenant.
 * - sync_tenant_crm:   start, follow and cancel syncs.
 * - view_tenant_leads: read leads.
 *
 * Administrators get all three on activation, and there is a role for portal users that has the last one. Whoever lacks manage_tenant_crm can
 * use the other two only for the own tenants: those in the own list (user meta, set by those who manage tenants), those of the own roles (an
 * option, set by the same), those that a filter adds. `current_user_can( 'view_tenant_leads', 'acme' )` asks for one tenant by its id. Lead
 * posts are mapped through the ledger, by the tenant's integer key, never by meta value. What queries find is Tenancy's business.
 */

namespace TenantCRM;

final class Capabilities {

	const MANAGE = 'manage_tenant_crm';
	const SYNC   = 'sync_tenant_crm';
	const VIEW   = 'view_tenant_leads';
	const ALL    = array( self::MANAGE, self::SYNC, self::VIEW );

	/** List of external tenant ids (see user_meta()). The underscore makes it protected: profile forms and REST do not offer it. */
	const USER_META = '_tenant_crm_tenant';

	/** Option: role => list of external tenant ids. */
	const ROLE_OPTION = 'tenant_crm_sync_roles';

	/** The role that activation makes, for people who read their tenant's leads and do nothing else here. */
	const PORTAL_ROLE = 'tenant_crm_portal_user';

	/** Its name, stored in English like those of WordPress's own roles: each user reads it in a language of theirs. */
	const PORTAL_ROLE_NAME = 'CRM portal user';

	const POST_TYPE = 'crm_lead';

	/** Types of posts that hang on a lead and are as much its tenant's. */
	const CHILDREN = array( 'revision', 'attachment' );

	/** What WordPress asks about one post, and what it comes down to. */
	const POST_META_CAPS = array(
		'read_post'       => self::VIEW,
		'read_crm_lead'   => self::VIEW,
		'edit_post'       => 'edit_crm_leads',
		'edit_crm_lead'   => 'edit_crm_leads',
		'delete_post'     => 'edit_crm_leads',
		'delete_crm_lead' => 'edit_crm_leads',
	);

	public static function register(): void {
		add_filter( 'map_meta_cap', array( __CLASS__, 'map' ), 10, 4 );
		add_filter( 'gettext_with_context_default', array( __CLASS__, 'role_name' ), 10, 3 );
		add_filter( 'auth_user_meta_' . self::user_meta(), array( __CLASS__, 'may_assign' ), 10, 4 );
	}

	/** Gives the capabilities to the administrator role, and makes the role of portal users. Safe to repeat. */
	public static function grant(): void {
		// What a site has made of the role stays.
		add_role( self::PORTAL_ROLE, self::PORTAL_ROLE_NAME, array( 'read' => true, self::VIEW => true ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		$role = get_role( 'administrator' );
		if ( null !== $role ) {
			foreach ( self::ALL as $cap ) {
				$role->add_cap( $cap );
			}
		}
	}

	/**
	 * What translate_user_role() makes of the role's name.
	 *
	 * @param mixed $translation
	 * @param mixed $text
	 * @param mixed $context
	 * @return mixed
	 */
	public static function role_name( $translation, $text, $context ) {
		return self::PORTAL_ROLE_NAME === $text && 'User role' === $context ? __( 'CRM portal user', 'tenant-crm-sync' ) : $translation;
	}

	/** Takes the capabilities from every role, and the portal's role away. */
	public static function revoke(): void {
		remove_role( self::PORTAL_ROLE );
		delete_option( self::ROLE_OPTION );
		foreach ( wp_roles()->role_objects as $role ) {
			foreach ( self::ALL as $cap ) {
				$role->remove_cap( $cap );
			}
		}
	}

	/** The key of a user's list. A network's sites share users and their meta, but not their tenants: each site has its own list. */
	public static function user_meta(): string {
		return self::USER_META . ( is_multisite() ? '_' . get_current_blog_id() : '' );
	}

	/**
	 * The external ids of a user's tenants. Those who manage tenants see all, whatever this says.
	 *
	 * @return list<string>
	 */
	public static function tenants_of( int $user_id ): array {
		$stored = $user_id > 0 ? get_user_meta( $user_id, self::user_meta(), true ) : array();
		$ids    = is_array( $stored ) ? $stored : array( $stored );
		$roles  = self::by_role();
		$user   = $roles && $user_id > 0 ? get_userdata( $user_id ) : false;
		foreach ( $user ? $user->roles : array() as $role ) {
			$ids = array_merge( $ids, $roles[ $role ] ?? array() );
		}
		/**
		 * The external ids of the tenants that a user belongs to.
		 *
		 * @param list<string> $ids     From the user's meta and roles.
		 * @param int          $user_id 0 for a visitor.
		 */
		$ids = (array) apply_filters( 'tenant_crm_sync_user_tenants', $ids, $user_id );
		$ids = array_filter( array_map( static fn( $id ) => is_scalar( $id ) ? (string) $id : '', $ids ), 'strlen' );
		return array_values( array_unique( $ids ) );
	}

	/** Stores a user's tenants. The caller has checked that it may (may_assign). */
	public static function assign( int $user_id, array $ids ): void {
		if ( array() === $ids ) {
			delete_user_meta( $user_id, self::user_meta() );
			return;
		}
		update_user_meta( $user_id, self::user_meta(), wp_slash( array_values( array_map( 'strval', $ids ) ) ) );
	}

	/** @return array<string, list<string>> External ids of tenants by the role whose users belong to them. */
	public static function by_role(): array {
		$stored = get_option( self::ROLE_OPTION, array() );
		return is_array( $stored ) ? array_map( static fn( $ids ): array => array_values( array_map( 'strval', array_filter( (array) $ids, 'is_scalar' ) ) ), $stored ) : array();
	}

	/** @return list<string> The roles whose users belong to a tenant. */
	public static function roles_of( string $tenant_id ): array {
		return array_map( 'strval', array_keys( array_filter( self::by_role(), static fn( array $ids ): bool => in_array( $tenant_id, $ids, true ) ) ) );
	}

	/**
	 * Says which roles' users belong to a tenant. The caller has checked that it may (manage_tenant_crm).
	 *
	 * @param list<string> $roles
	 * @throws \InvalidArgumentException For a role that this site does not have.
	 */
	public static function assign_roles( string $tenant_id, array $roles ): void {
		$all = self::by_role();
		foreach ( array_diff( $roles, array_keys( wp_roles()->roles ) ) as $unknown ) {
			throw new \InvalidArgumentException( "There is no role \"$unknown\" on this site." );
		}
		foreach ( array_unique( array_merge( array_keys( $all ), $roles ) ) as $role ) {
			$ids = array_values( array_diff( $all[ $role ] ?? array(), array( $tenant_id ) ) );
			if ( in_array( $role, $roles, true ) ) {
				$ids[] = $tenant_id;
			}
			$all[ $role ] = $ids;
		}
		update_option( self::ROLE_OPTION, array_filter( $all ), true );
	}

	/** Takes a deleted tenant from every user's list: whoever gets its id later is somebody else. */
	public static function forget_tenant( string $id ): void {
		if ( self::roles_of( $id ) ) {
			self::assign_roles( $id, array() );
		}
		$users = get_users(
			array(
				'blog_id'  => 0,
				'meta_key' => self::user_meta(),
				'fields'   => 'ID',
			)
		);
		foreach ( $users as $user ) {
			$stored = (array) get_user_meta( (int) $user, self::user_meta(), true );
			if ( in_array( $id, $stored, true ) ) {
				self::assign( (int) $user, array_diff( $stored, array( $id ) ) );
			}
		}
	}

	/** Whether a user has one of the three capabilities for this tenant. Ids are compared bytewise. */
	public static function user_may( int $user_id, string $cap, string $tenant_id ): bool {
		if ( ! user_can( $user_id, $cap ) ) {
			return false;
		}
		return user_can( $user_id, self::MANAGE ) || in_array( $tenant_id, self::tenants_of( $user_id ), true );
	}

	/**
	 * The tenants a user may see with a capability, in the order of Tenants::all().
	 *
	 * @return array<Tenant>
	 */
	public static function visible( int $user_id, string $cap ): array {
		return array_values( array_filter( Tenants::all(), static fn( Tenant $tenant ) => self::user_may( $user_id, $cap, $tenant->id ) ) );
	}

	/**
	 * Only who manages tenants may change whose tenants somebody sees, also their own.
	 *
	 * @param bool   $allowed
	 * @param string $meta_key
	 * @param int    $object_id
	 * @param int    $user_id
	 */
	public static function may_assign( $allowed, $meta_key, $object_id, $user_id ): bool {
		return user_can( (int) $user_id, self::MANAGE );
	}

	/**
	 * Filter map_meta_cap: our capabilities for a tenant, leads through their tenant, the post type's own capabilities through ours. Where
	 * another plugin registered the type, only posts that are some tenant's lead are ours to decide about.
	 *
	 * @param list<string> $caps
	 * @param string       $cap
	 * @param int          $user_id
	 * @param array<mixed> $args
	 * @return list<string>
	 */
	public static function map( $caps, $cap, $user_id, $args ) {
		if ( isset( $args[0] ) && in_array( $cap, self::ALL, true ) ) {
			$is_own = is_scalar( $args[0] ) && ( user_can( (int) $user_id, self::MANAGE ) || in_array( (string) $args[0], self::tenants_of( (int) $user_id ), true ) );
			return $is_own ? array( $cap ) : array( 'do_not_allow' );
		}
		if ( isset( self::POST_META_CAPS[ $cap ] ) && isset( $args[0] ) ) {
			$post = get_post( $args[0] );
			if ( $post instanceof \WP_Post && self::POST_TYPE === self::type_of( $post ) && ( null !== self::tenant_key_of( self::lead_of( $post ) ) || Tenancy\Viewer::is_unknown_lead( self::lead_of( $post ) ) ) ) {
				return self::for_post( (int) $user_id, $post, self::POST_META_CAPS[ $cap ] );
			}
		}
		// The type's own capabilities (edit_crm_leads, delete_others_crm_leads …) open lists of all tenants' leads.
		if ( 1 === preg_match( '/^(edit|delete|publish|read_private)_(\w+_)?crm_leads$/D', $cap ) ) {
			return array( self::MANAGE );
		}
		return $caps;
	}

	/**
	 * @return list<string> Primitive capabilities that the user needs for this post.
	 */
	private static function for_post( int $user_id, \WP_Post $post, string $needed ): array {
		if ( user_can( $user_id, self::MANAGE ) ) {
			return array( self::MANAGE );
		}
		// Changing a lead in the admin is for those who manage tenants; a site may grant edit_crm_leads to others.
		$key    = self::tenant_key_of( self::lead_of( $post ) );
		$tenant = null === $key ? null : Tenants::get( $key );
		if ( null === $tenant || ! in_array( $tenant->id, self::tenants_of( $user_id ), true ) ) {
			return array( 'do_not_allow' );
		}
		return array_values( array_unique( array( self::VIEW, $needed ) ) );
	}

	/** The integer key of the tenant that a lead's post belongs to, by the ledger; null for a post that it does not know. */
	public static function tenant_key_of( int $post_id ): ?int {
		global $wpdb;
		$table = Schema::table( 'records' );
		$key   = $wpdb->get_var( $wpdb->prepare( "SELECT tenant FROM `$table` WHERE post_id = %d", $post_id ) );
		return null === $key ? null : (int) $key;
	}

	/** Of a lead, of its revisions and of the files that hang on it. */
	private static function lead_of( \WP_Post $post ): int {
		return in_array( $post->post_type, self::CHILDREN, true ) ? (int) $post->post_parent : (int) $post->ID;
	}

	private static function type_of( \WP_Post $post ): string {
		if ( in_array( $post->post_type, self::CHILDREN, true ) ) {
			$parent = $post->post_parent > 0 ? get_post( $post->post_parent ) : null;
			return $parent instanceof \WP_Post ? $parent->post_type : '';
		}
		return $post->post_type;
	}
}
