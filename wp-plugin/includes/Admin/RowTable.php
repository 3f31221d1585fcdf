<?php
/**
 * What the tables of rows of all tenants share: pages, the columns "Tenant" and "When", and the name of a tenant. What a row is, its class says.
 */

namespace TenantCRM\Admin;

use TenantCRM\Tenant;

abstract class RowTable extends \WP_List_Table {

	/** @var array<int, Tenant> By key. */
	private $tenants;

	/** @var string Slug of the screen. */
	private $slug;

	/** @var array<string, string> What the address of a view has. */
	private $args;

	/** @var string Which view is open; empty: the first. */
	protected $view;

	/** @var array<string, scalar> What the address of this list has. */
	protected $address;

	/** @var array<string, int> How many rows each view has. */
	protected $counts;

	/**
	 * @param array{0: string, 1: string} $names   What one row is called in class names, and several.
	 * @param array<int, Tenant>          $tenants Those whose names may be told, by key.
	 * @param string                      $slug    Of the screen.
	 * @param array<string, string>       $view    The parameter that chooses a view => which one is open.
	 * @param array<string, scalar>       $address What the address of this list has, and
	 * @param array<string, int>          $counts  how many rows each view has: for lists with links to their views.
	 */
	public function __construct( array $names, array $tenants, string $slug, array $view = array(), array $address = array(), array $counts = array() ) {
		parent::__construct(
			array(
				'singular' => $names[0],
				'plural'   => $names[1],
				'ajax'     => false,
			)
		);
		$this->tenants = $tenants;
		$this->slug    = $slug;
		$this->args    = array_filter( $view );
		$this->view    = (string) reset( $view );
		$this->address = $address;
		$this->counts  = $counts;
	}

	/**
	 * @param int                                              $total How many rows there are.
	 * @param callable( int, int ): list<array<string, mixed>> $page  Gives the rows of a page: its size and its number, from 1.
	 */
	public function find( int $total, callable $page ): void {
		$size = $this->get_items_per_page( 'tenant_crm_per_page', 20 );
		$this->set_pagination_args(
			array(
				'total_items' => $total,
				'per_page'    => $size,
			)
		);
		$columns               = $this->get_columns();
		$this->items           = $page( $size, $this->get_pagenum() );
		$this->_column_headers = array( $columns, array(), array(), (string) array_key_first( array_diff_key( $columns, array( 'cb' => 1 ) ) ) );
	}

	/** A tenant's name, as a link to its rows alone. */
	protected function tenant( int $key ): string {
		$tenant = $this->tenants[ $key ] ?? null;
		return null === $tenant ? '—' : sprintf( '<a href="%s">%s</a>', esc_url( Screens::url( $this->slug, array( 'tenant' => $tenant->key ) + $this->args ) ), esc_html( $tenant->name() ) );
	}

	/** A UTC time of the database, and how long ago that was. */
	protected function when( ?string $utc ): string {
		return sprintf( '%s<span class="tcs-muted">%s</span>', esc_html( Words::time( $utc ) ), esc_html( Words::ago( $utc ) ) );
	}

	/** @param array{tenant: int} $item */
	protected function column_tenant( $item ): string {
		return $this->tenant( $item['tenant'] );
	}

	/** The box by which a row is ticked, with a name of its own. */
	protected function tick( string $key, string $name ): string {
		/* translators: %s: what a row is about */
		return sprintf( '<label class="screen-reader-text" for="tcs-row-%1$s">%2$s</label><input type="checkbox" name="rows[]" id="tcs-row-%1$s" value="%1$s">', esc_attr( $key ), esc_html( sprintf( __( 'Tick %s', 'tenant-crm-sync' ), $name ) ) );
	}

	/**
	 * A button of one row.
	 *
	 * @param string $about Tells it from the same button of other rows, for who cannot see where it is.
	 */
	protected function button( string $action, string $key, string $text, string $about ): string {
		return sprintf( '<button class="button button-small" name="one" value="%s:%s" aria-label="%s">%s</button>', esc_attr( $action ), esc_attr( $key ), esc_attr( "$text: $about" ), esc_html( $text ) );
	}

	/** @param list<array{0: string, 1: string, 2: int, 3: bool}> $views Address, name, count, and whether it is the open one. */
	protected static function links( array $views ): array {
		return array_map( static fn( array $view ): string => sprintf( '<a href="%s"%s>%s <span class="count">(%s)</span></a>', esc_url( $view[0] ), $view[3] ? ' class="current" aria-current="page"' : '', esc_html( $view[1] ), esc_html( number_format_i18n( $view[2] ) ) ), $views );
	}
}
