<?php
/**
 * The table of tenants on the Overview. Reads tenants, their last runs and counts; prints them escaped. The forms in it work without
 * JavaScript; assets/sync.js takes them over where it runs.
 */

namespace TenantCRM\Admin;

use TenantCRM\Capabilities;
use TenantCRM\Ledger;
use TenantCRM\Runs;
use TenantCRM\Tenant;

final class TenantTable extends \WP_List_Table {

	/** @var list<string> Ids of all tenants that can be synced, on this page of the table or not. */
	private $syncable = array();

	public function __construct() {
		parent::__construct(
			array(
				'singular' => 'tenant',
				'plural'   => 'tenants',
				'ajax'     => false,
			)
		);
	}

	/** @return list<string> */
	public function syncable(): array {
		return $this->syncable;
	}

	public function get_columns(): array {
		return array(
			'name'    => __( 'Tenant', 'tenant-crm-sync' ),
			'crm'     => __( 'CRM', 'tenant-crm-sync' ),
			'state'   => __( 'State', 'tenant-crm-sync' ),
			'records' => __( 'Records', 'tenant-crm-sync' ),
			'source'  => __( 'Settings from', 'tenant-crm-sync' ),
			'sync'    => __( 'Sync', 'tenant-crm-sync' ),
		);
	}

	public function prepare_items(): void {
		$tenants = Capabilities::visible( get_current_user_id(), Capabilities::SYNC );
		usort( $tenants, static fn( Tenant $a, Tenant $b ) => strnatcasecmp( self::name( $a ), self::name( $b ) ) ?: strcmp( $a->id, $b->id ) );
		foreach ( $tenants as $tenant ) {
			if ( null === Words::obstacle( $tenant ) ) {
				$this->syncable[] = $tenant->id;
			}
		}
		$size  = $this->get_items_per_page( 'tenant_crm_per_page', 20 );
		$total = count( $tenants );
		$this->set_pagination_args(
			array(
				'total_items' => $total,
				'per_page'    => $size,
			)
		);
		$this->items = array_map(
			static fn( Tenant $tenant ) => array(
				'tenant'  => $tenant,
				'run'     => Runs::latest( $tenant->key ),
				'records' => Ledger::count( $tenant->key ),
			),
			array_slice( $tenants, ( $this->get_pagenum() - 1 ) * $size, $size )
		);
		$this->_column_headers = array( $this->get_columns(), array(), array(), 'name' );
	}

	/** @param array{tenant: Tenant, run: ?array, records: int} $item */
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
		$host = (string) wp_parse_url( $item['tenant']->endpoint, PHP_URL_HOST );
		$port = wp_parse_url( $item['tenant']->endpoint, PHP_URL_PORT );
		return sprintf(
			'%s<span class="tcs-muted">%s</span>',
			esc_html( '' === $host ? __( 'no endpoint', 'tenant-crm-sync' ) : $host . ( $port ? ':' . $port : '' ) ),
			/* translators: %s: name of a connector */
			esc_html( sprintf( __( 'connector %s', 'tenant-crm-sync' ), $item['tenant']->connector ) )
		);
	}

	/** @param array{tenant: Tenant} $item */
	protected function column_source( $item ): string {
		return 'function' === $item['tenant']->source
			? esc_html__( 'The site’s code', 'tenant-crm-sync' ) . '<span class="tcs-muted">get_tenant_<wbr>crm_settings()</span>'
			: esc_html( Words::source( 'table' ) );
	}

	/** @param array{tenant: Tenant, run: ?array} $item */
	protected function column_state( $item ): string {
		$run = $item['run'];
		return sprintf(
			'<span class="tcs-badge" data-state="%1$s"><span class="tcs-state"%5$s>%2$s</span></span><span class="tcs-remedy">%6$s</span><span class="tcs-error">%3$s</span><span class="tcs-counts">%4$s</span>',
			esc_attr( Words::badge( $run, $item['tenant']->paused ) ),
			esc_html( Words::state( $run, $item['tenant']->paused ) ),
			esc_html( (string) ( $run['error'] ?? '' ) ),
			esc_html( Words::counts( $run ) ),
			empty( $run['finished_at'] ) ? '' : ' title="' . esc_attr( Words::time( $run['finished_at'] ) ) . '"',
			esc_html( Words::remedy( $run ) )
		);
	}

	/** @param array{records: int} $item */
	protected function column_records( $item ): string {
		return sprintf( '<span class="tcs-records">%s</span>', esc_html( number_format_i18n( $item['records'] ) ) );
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
			'<div class="tcs-sync" data-tenant="%1$s" data-run="%2$d">%3$s%4$s<div class="tcs-meter" role="progressbar" aria-label="%5$s" hidden></div><span class="tcs-progress"></span></div>',
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
