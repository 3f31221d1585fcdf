<?php
/**
 * The table of tenants on the Overview. Reads tenants and their figures, all at once; prints them escaped. The forms in it work without
 * JavaScript; assets/sync.js takes them over where it runs.
 */

namespace TenantCRM\Admin;

use TenantCRM\Capabilities;
use TenantCRM\Connectors;
use TenantCRM\Standings;
use TenantCRM\Tenant;

final class TenantTable extends \WP_List_Table {

	/** @var list<Tenant> All that the user may sync, by name. */
	private $tenants = array();

	/** @var array<int, array<string, mixed>> Of Standings. */
	private $figures = array();

	/** @var array<int, string> Healths by key. */
	private $healths = array();

	public function __construct() {
		parent::__construct(
			array(
				'singular' => 'tenant',
				'plural'   => 'tenants',
				'ajax'     => false,
			)
		);
	}

	/** @return list<Tenant> */
	public function tenants(): array {
		return $this->tenants;
	}

	/** @return list<int> */
	public function keys(): array {
		return array_keys( $this->healths );
	}

	/** @return list<string> Ids of all tenants that can be synced, on this page of the table or not. */
	public function syncable(): array {
		return array_values( array_map( static fn( Tenant $tenant ): string => $tenant->id, array_filter( $this->tenants, static fn( Tenant $tenant ): bool => null === Words::obstacle( $tenant ) ) ) );
	}

	/** @return array<string, int> Records that a sync of a tenant usually reads, by the tenant's id. */
	public function expected(): array {
		$expected = array();
		foreach ( $this->tenants as $tenant ) {
			if ( $this->figures[ $tenant->key ]['expected'] > 0 ) {
				$expected[ $tenant->id ] = $this->figures[ $tenant->key ]['expected'];
			}
		}
		return $expected;
	}

	/** @return array<string, int> Sums over all tenants. */
	public function sums(): array {
		$sums = array();
		foreach ( array( 'records', 'waiting', 'refused', 'conflicts' ) as $name ) {
			$sums[ $name ] = (int) array_sum( array_column( $this->figures, $name ) );
		}
		return $sums;
	}

	/** @return array<string, int> How many tenants are how. */
	public function healths(): array {
		return array_count_values( $this->healths );
	}

	public function get_columns(): array {
		return array(
			'name'      => __( 'Tenant', 'tenant-crm-sync' ),
			'crm'       => __( 'CRM', 'tenant-crm-sync' ),
			'state'     => __( 'Health', 'tenant-crm-sync' ),
			'last'      => __( 'Last and next sync', 'tenant-crm-sync' ),
			'records'   => __( 'Leads', 'tenant-crm-sync' ),
			'waiting'   => __( 'Waiting', 'tenant-crm-sync' ),
			'refused'   => __( 'Refused', 'tenant-crm-sync' ),
			'conflicts' => __( 'Conflicts', 'tenant-crm-sync' ),
			'sync'      => __( 'Sync', 'tenant-crm-sync' ),
		);
	}

	public function prepare_items(): void {
		$this->tenants = Capabilities::visible( get_current_user_id(), Capabilities::SYNC );
		usort( $this->tenants, static fn( Tenant $a, Tenant $b ) => strnatcasecmp( self::name( $a ), self::name( $b ) ) ?: strcmp( $a->id, $b->id ) );
		$this->figures = Standings::of( array_map( static fn( Tenant $tenant ): int => $tenant->key, $this->tenants ) );
		foreach ( $this->tenants as $tenant ) {
			$this->healths[ $tenant->key ] = TenantHealth::of( $tenant, $this->figures[ $tenant->key ] );
		}
		$shown = $this->sorted( array_values( array_filter( $this->tenants, array( $this, 'is_shown' ) ) ) );
		$size  = $this->get_items_per_page( 'tenant_crm_per_page', 20 );
		$this->set_pagination_args(
			array(
				'total_items' => count( $shown ),
				'per_page'    => $size,
			)
		);
		$this->items           = array_map( fn( Tenant $tenant ) => array( 'tenant' => $tenant ) + $this->figures[ $tenant->key ], array_slice( $shown, ( $this->get_pagenum() - 1 ) * $size, $size ) );
		$this->_column_headers = array( $this->get_columns(), get_hidden_columns( $this->screen ), $this->get_sortable_columns(), 'name' );
	}

	protected function get_sortable_columns(): array {
		return array(
			'name'      => array( 'name', false ),
			'records'   => array( 'records', true ),
			'waiting'   => array( 'waiting', true ),
			'refused'   => array( 'refused', true ),
			'conflicts' => array( 'conflicts', true ),
		);
	}

	/**
	 * They come by name; of those with the same number that stays so.
	 *
	 * @param list<Tenant> $tenants
	 * @return list<Tenant>
	 */
	private function sorted( array $tenants ): array {
		$order = Choice::text( 'orderby' );
		$order = isset( $this->get_sortable_columns()[ $order ] ) ? $order : 'name';
		$is_up = 'desc' !== Choice::text( 'order' );
		if ( 'name' === $order ) {
			return $is_up ? $tenants : array_reverse( $tenants );
		}
		usort( $tenants, fn( Tenant $a, Tenant $b ): int => ( $is_up ? 1 : -1 ) * ( $this->figures[ $a->key ][ $order ] <=> $this->figures[ $b->key ][ $order ] ) );
		return $tenants;
	}

	public function no_items(): void {
		esc_html_e( 'No tenant fits. Search for something else, or show all.', 'tenant-crm-sync' );
	}

	protected function get_views(): array {
		$views  = array();
		$chosen = self::chosen();
		$all    = array( '' => __( 'All', 'tenant-crm-sync' ) ) + TenantHealth::names();
		$many   = array( '' => count( $this->tenants ) ) + $this->healths();
		foreach ( array_intersect_key( $all, $many ) as $health => $name ) {
			// WordPress has a class `attention` of its own.
			$views[ '' === $health ? 'all' : "is-$health" ] = sprintf(
				'<a href="%s"%s>%s <span class="count">(%s)</span></a>',
				esc_url( Screens::url( Screens::OVERVIEW, array_filter( array( 'health' => $health ) ) ) ),
				$health === $chosen ? ' class="current" aria-current="page"' : '',
				esc_html( $name ),
				esc_html( number_format_i18n( $many[ $health ] ) )
			);
		}
		return $views;
	}

	private function is_shown( Tenant $tenant ): bool {
		$words = Choice::words();
		if ( '' !== self::chosen() && self::chosen() !== $this->healths[ $tenant->key ] ) {
			return false;
		}
		return '' === $words || false !== mb_stripos( "{$tenant->label}\n{$tenant->id}\n{$tenant->endpoint}\n{$tenant->connector}", $words );
	}

	private static function chosen(): string {
		return Choice::one_of( 'health', TenantHealth::names() );
	}

	/** @param array{tenant: Tenant} $item */
	protected function column_name( $item ): string {
		$tenant = $item['tenant'];
		$name   = esc_html( self::name( $tenant ) );
		if ( current_user_can( Capabilities::MANAGE ) ) {
			$name = sprintf( '<a class="row-title" href="%s">%s</a>', esc_url( self::edit_url( $tenant ) ), $name );
		}
		$id = $tenant->id !== self::name( $tenant ) ? sprintf( '<span class="tcs-muted"><code>%s</code></span>', esc_html( $tenant->id ) ) : '';
		return '<strong>' . $name . '</strong>' . $id . $this->row_actions( $this->actions_of( $tenant ) );
	}

	/** @param array{tenant: Tenant} $item */
	protected function column_crm( $item ): string {
		$tenant = $item['tenant'];
		$host   = (string) wp_parse_url( $tenant->endpoint, PHP_URL_HOST );
		$port   = wp_parse_url( $tenant->endpoint, PHP_URL_PORT );
		return sprintf(
			'%s<span class="tcs-muted">%s</span>%s',
			esc_html( Connectors::find( $tenant->connector )['title'] ?? $tenant->connector ),
			esc_html( '' === $host ? __( 'no endpoint', 'tenant-crm-sync' ) : $host . ( $port ? ':' . $port : '' ) ),
			'function' === $tenant->source ? '<span class="tcs-muted tcs-source">' . esc_html__( 'set by the site’s code', 'tenant-crm-sync' ) . '</span>' : ''
		);
	}

	/** @param array<string, mixed> $item Of Standings, and the tenant. */
	protected function column_state( $item ): string {
		$run    = $item['run'];
		$tenant = $item['tenant'];
		$health = $this->healths[ $tenant->key ];
		return sprintf(
			'<span class="tcs-health" data-health="%1$s">%2$s</span><span class="tcs-badge" data-state="%3$s"><span class="tcs-state"%4$s>%5$s</span></span><span class="tcs-why">%6$s</span><span class="tcs-remedy">%7$s</span><span class="tcs-error">%8$s</span><span class="tcs-counts">%9$s</span>',
			esc_attr( $health ),
			esc_html( TenantHealth::names()[ $health ] ),
			esc_attr( Words::badge( $run, $tenant->paused ) ),
			empty( $run['finished_at'] ) ? '' : ' title="' . esc_attr( Words::time( $run['finished_at'] ) ) . '"',
			esc_html( Words::state( $run, $tenant->paused ) ),
			esc_html( TenantHealth::why( $tenant, $item ) ),
			esc_html( Words::remedy( $run ) ),
			esc_html( (string) ( $run['error'] ?? '' ) ),
			esc_html( Words::counts( $run ) )
		);
	}

	/** @param array<string, mixed> $item */
	protected function column_last( $item ): string {
		$done = $item['done_at'];
		$last = null === $done
			? esc_html__( 'never', 'tenant-crm-sync' )
			: sprintf( '<time datetime="%s" title="%s">%s</time>', esc_attr( (string) Words::iso( $done ) ), esc_attr( Words::time( $done ) ), esc_html( Words::ago( $done ) ) );
		return $last . '<span class="tcs-muted">' . esc_html( Words::next( $item['tenant'], $item['next_at'] ) ) . '</span>';
	}

	/** @param array<string, mixed> $item */
	protected function column_records( $item ): string {
		$number = sprintf( '<span class="tcs-records">%s</span>', esc_html( number_format_i18n( $item['records'] ) ) );
		return current_user_can( Capabilities::VIEW ) ? sprintf( '<a href="%s">%s</a>', esc_url( Screens::url( Screens::LEADS, array( 'tenant' => $item['tenant']->key ) ) ), $number ) : $number;
	}

	/** @param array<string, mixed> $item */
	protected function column_waiting( $item ): string {
		return self::number( $item['waiting'], '' );
	}

	/** @param array<string, mixed> $item */
	protected function column_refused( $item ): string {
		return self::number( $item['refused'], Screens::refused_url( $item['tenant']->key ) );
	}

	/** @param array<string, mixed> $item */
	protected function column_conflicts( $item ): string {
		return self::number( $item['conflicts'], Screens::url( Screens::CONFLICTS, array( 'tenant' => $item['tenant']->key ) ) );
	}

	/** Zero is nothing to look at. */
	private static function number( int $number, string $url ): string {
		$text = esc_html( number_format_i18n( $number ) );
		if ( 0 === $number ) {
			return '<span class="tcs-zero">' . $text . '</span>';
		}
		return '' === $url ? $text : sprintf( '<a class="tcs-some" href="%s">%s</a>', esc_url( $url ), $text );
	}

	/** @param array{tenant: Tenant, run: ?array} $item */
	protected function column_sync( $item ): string {
		$tenant = $item['tenant'];
		$open   = null !== $item['run'] && ! Words::is_final( $item['run']['state'] );
		if ( ! $open && null !== Words::obstacle( $tenant ) ) {
			return 'unset' === Words::obstacle( $tenant )
				? esc_html__( 'Needs the address of its CRM and an API key, or what else the connector asks for, first.', 'tenant-crm-sync' )
				: esc_html__( 'Paused', 'tenant-crm-sync' );
		}
		$name = self::name( $tenant );
		return sprintf(
			'<div class="tcs-sync" data-tenant="%1$s" data-run="%2$d">%3$s%4$s<div class="tcs-meter" role="progressbar" aria-label="%5$s" hidden><div class="tcs-meter-bar"></div></div><span class="tcs-progress"></span></div>',
			esc_attr( $tenant->id ),
			$open ? (int) $item['run']['id'] : 0,
			/* translators: %s: tenant */
			self::form( 'sync', 'tcs-start', $tenant, __( 'Sync now', 'tenant-crm-sync' ), sprintf( __( 'Sync now: %s', 'tenant-crm-sync' ), $name ), $open && 'waiting' !== $item['run']['state'] ),
			/* translators: %s: tenant */
			self::form( 'cancel', 'tcs-stop', $tenant, __( 'Cancel', 'tenant-crm-sync' ), sprintf( __( 'Cancel: %s', 'tenant-crm-sync' ), $name ), ! $open ),
			/* translators: %s: tenant */
			esc_attr( sprintf( __( 'Syncing %s', 'tenant-crm-sync' ), $name ) )
		);
	}

	/** @return array<string, string> */
	private function actions_of( Tenant $tenant ): array {
		$actions = array();
		if ( current_user_can( Capabilities::MANAGE ) ) {
			$actions['edit'] = self::link( self::edit_url( $tenant ), __( 'Edit', 'tenant-crm-sync' ) );
		}
		if ( current_user_can( Capabilities::VIEW ) ) {
			$actions['leads'] = self::link( Screens::url( Screens::LEADS, array( 'tenant' => $tenant->key ) ), __( 'Leads', 'tenant-crm-sync' ) );
		}
		$actions['log'] = self::link( Screens::url( Screens::LOG, array( 'tenant' => $tenant->key ) ), __( 'Log', 'tenant-crm-sync' ) );
		if ( current_user_can( Capabilities::MANAGE ) ) {
			$actions['pause'] = sprintf(
				'<form method="post" class="tcs-inline" action="%1$s">%2$s<button class="button-link">%3$s</button></form>',
				esc_url( admin_url( 'admin-post.php' ) ),
				Actions::fields( $tenant->paused ? 'resume' : 'pause', $tenant->key ),
				$tenant->paused ? esc_html__( 'Resume', 'tenant-crm-sync' ) : esc_html__( 'Pause', 'tenant-crm-sync' )
			);
			if ( 'table' === $tenant->source ) {
				$actions['delete'] = self::link( Screens::url( Screens::TENANT, array( 'tenant' => $tenant->key, 'delete' => 1 ) ), __( 'Delete', 'tenant-crm-sync' ) );
			}
		}
		return $actions;
	}

	private static function form( string $action, string $css, Tenant $tenant, string $text, string $label, bool $hidden ): string {
		return sprintf(
			'<form method="post" class="%1$s" action="%2$s"%3$s>%4$s<button class="button" aria-label="%5$s">%6$s</button></form>',
			esc_attr( $css ),
			esc_url( admin_url( 'admin-post.php' ) ),
			$hidden ? ' hidden' : '',
			Actions::fields( $action, $tenant->key ),
			esc_attr( $label ),
			esc_html( $text )
		);
	}

	private static function link( string $url, string $text ): string {
		return sprintf( '<a href="%s">%s</a>', esc_url( $url ), esc_html( $text ) );
	}

	private static function edit_url( Tenant $tenant ): string {
		return Screens::url( Screens::TENANT, array( 'tenant' => $tenant->key ) );
	}

	private static function name( Tenant $tenant ): string {
		return '' === $tenant->label ? $tenant->id : $tenant->label;
	}
}
