<?php
/**
 * The part of the tenant form about what may be asked of the CRM: edition, limits of one's own, the share for other tools, the size of a page.
 * Reads, checks, prints. How limits are kept is the extension's business, which also has the last word on them.
 */

namespace TenantCRM\Admin;

use TenantCRM\Limits;
use TenantCRM\Tenant;

final class LimitForm {

	/** Limits of one's own that the form has rows for. */
	const ROWS = 3;

	/** @var array<string, string> Name of the input => what is wrong. */
	public $errors = array();

	/** @var string */
	private $plan;

	/** @var list<array<string, mixed>> */
	private $limits;

	/** @var string Percent; empty: what the connector says. */
	private $reserve;

	/** @var string Empty: what the CRM gives. */
	private $page_size;

	/** @var Tenant|null */
	private $tenant;

	public function __construct( ?Tenant $tenant ) {
		$settings        = $tenant ? $tenant->settings : array();
		$limits          = $settings['limits'] ?? array();
		$limits          = is_string( $limits ) ? json_decode( $limits, true ) : $limits;
		$this->tenant    = $tenant;
		$this->plan      = is_string( $settings['plan'] ?? null ) ? $settings['plan'] : '';
		$this->limits    = is_array( $limits ) ? array_values( array_filter( $limits, 'is_array' ) ) : array();
		$this->reserve   = is_numeric( $settings['reserve'] ?? null ) ? (string) round( 100 * $settings['reserve'] ) : '';
		$this->page_size = $tenant && $tenant->page_size() ? (string) $tenant->page_size() : '';
	}

	/** @param array<string, mixed> $post Unslashed. */
	public function fill( array $post ): void {
		$text = static fn( $value ): string => is_string( $value ) ? trim( $value ) : '';
		if ( ! isset( $post['reserve'] ) ) {
			// A form that does not show these says nothing of them.
			return;
		}
		$this->plan      = $text( $post['plan'] ?? '' );
		$this->reserve   = $text( $post['reserve'] );
		$this->page_size = $text( $post['page_size'] ?? '' );
		$limits          = array();
		for ( $row = 0; $row < self::ROWS; $row++ ) {
			$amount = $text( ( (array) ( $post['limit_amount'] ?? array() ) )[ $row ] ?? '' );
			$period = $text( ( (array) ( $post['limit_period'] ?? array() ) )[ $row ] ?? '' );
			if ( '' !== $amount ) {
				// What else the command line said of this limit stays.
				$limits[] = array( 'amount' => (int) $amount ) + ( 'daily' === $period ? array( 'daily' => true ) : array( 'seconds' => (int) $period ) ) + array_diff_key( $this->limits[ $row ] ?? array(), array_flip( array( 'amount', 'seconds', 'daily' ) ) );
			}
		}
		$this->limits = array_merge( $limits, array_slice( $this->limits, self::ROWS ) );
		$this->check();
	}

	/** @return array<string, mixed> Settings; null for what is not said. */
	public function data(): array {
		return array(
			'plan'      => '' === $this->plan ? null : $this->plan,
			'limits'    => $this->limits ? $this->limits : null,
			'reserve'   => '' === $this->reserve ? null : (float) $this->reserve / 100,
			'page_size' => '' === $this->page_size ? null : (int) $this->page_size,
		);
	}

	/** @param array<string, mixed> $about What the extension says of the connector. */
	public function render( array $about ): void {
		$plans = array_values( array_unique( array_filter( array_column( $about['limits'], 'plan' ) ) ) );
		if ( $plans || '' !== $this->plan ) {
			$plans = array_unique( array_merge( $plans, array_filter( array( $this->plan ) ) ) );
			Field::select( 'plan', __( 'Edition', 'tenant-crm-sync' ), array( '' => __( 'not known', 'tenant-crm-sync' ) ) + array_combine( $plans, $plans ), $this->plan, __( 'Of the customer’s CRM: how much it takes depends on it. Where it is not known, the smallest counts.', 'tenant-crm-sync' ), '' );
		}
		$this->rows();
		Field::input( 'reserve', __( 'Left to other tools', 'tenant-crm-sync' ), array( 'type' => 'number', 'class' => 'small-text', 'value' => $this->reserve, 'min' => 0, 'max' => 90, 'placeholder' => '20' ), __( 'Percent of what the CRM takes in an hour or a day, for the customer’s other tools.', 'tenant-crm-sync' ), $this->errors['reserve'] ?? '' ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		Field::input( 'page_size', __( 'Records of a page', 'tenant-crm-sync' ), array( 'type' => 'number', 'class' => 'small-text', 'value' => $this->page_size, 'min' => 1, 'max' => 1000 ), __( 'Leave it empty for what the connector does. The CRM may give less.', 'tenant-crm-sync' ), $this->errors['page_size'] ?? '' ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		$used = $this->tenant ? Limits::of( $this->tenant ) : array();
		if ( $used ) {
			printf( '<tr><th scope="row">%s</th><td id="tcs-limits">', esc_html__( 'Limits of the CRM', 'tenant-crm-sync' ) );
			foreach ( $used as $line ) {
				printf( '<p>%s</p>', esc_html( $line ) );
			}
			echo '</td></tr>';
		}
	}

	private function rows(): void {
		$error = $this->errors['limits'] ?? '';
		printf( '<tr><th scope="row">%1$s</th><td><fieldset><legend class="screen-reader-text">%1$s</legend>', esc_html__( 'Own limits', 'tenant-crm-sync' ) );
		for ( $row = 0; $row < self::ROWS; $row++ ) {
			$limit  = $this->limits[ $row ] ?? array();
			$period = empty( $limit['daily'] ) ? (string) ( $limit['seconds'] ?? 10 ) : 'daily';
			printf(
				'<p><input type="number" class="small-text" name="limit_amount[]" min="1" value="%1$s" aria-label="%2$s"> <select name="limit_period[]" aria-label="%3$s">',
				esc_attr( (string) ( $limit['amount'] ?? '' ) ),
				/* translators: %d: number of a row */
				esc_attr( sprintf( __( 'Limit %d: how many requests', 'tenant-crm-sync' ), $row + 1 ) ),
				/* translators: %d: number of a row */
				esc_attr( sprintf( __( 'Limit %d: in what time', 'tenant-crm-sync' ), $row + 1 ) )
			);
			foreach ( self::periods( $period ) as $value => $name ) {
				printf( '<option value="%s"%s>%s</option>', esc_attr( (string) $value ), selected( (string) $value, $period, false ), esc_html( $name ) );
			}
			echo '</select></p>';
		}
		if ( '' !== $error ) {
			printf( '<p class="tcs-field-error" id="tcs-limits-error">%s</p>', esc_html( $error ) );
		}
		printf( '</fieldset><p class="description">%s</p></td></tr>', esc_html__( 'Only where the customer’s contract differs from what the connector knows. All tenants with the same CRM account share them.', 'tenant-crm-sync' ) );
	}

	/** @return array<int|string, string> */
	private static function periods( string $present ): array {
		$all = array(
			1               => __( 'requests a second', 'tenant-crm-sync' ),
			10              => __( 'requests in 10 seconds', 'tenant-crm-sync' ),
			60              => __( 'requests a minute', 'tenant-crm-sync' ),
			HOUR_IN_SECONDS => __( 'requests an hour', 'tenant-crm-sync' ),
			'daily'         => __( 'requests a day', 'tenant-crm-sync' ),
		);
		if ( ! isset( $all[ $present ] ) ) {
			/* translators: %s: number of seconds */
			$all[ $present ] = sprintf( __( 'requests in %s seconds', 'tenant-crm-sync' ), $present );
		}
		return $all;
	}

	private function check(): void {
		if ( '' !== $this->reserve && ( ! is_numeric( $this->reserve ) || $this->reserve < 0 || $this->reserve > 90 ) ) {
			$this->errors['reserve'] = __( 'Give a number from 0 to 90.', 'tenant-crm-sync' );
		}
		if ( '' !== $this->page_size && ( (int) $this->page_size < 1 || (int) $this->page_size > 1000 ) ) {
			$this->errors['page_size'] = __( 'Give a number from 1 to 1000, or nothing.', 'tenant-crm-sync' );
		}
		if ( ! $this->errors && $this->limits ) {
			try {
				// The extension reads them; it must not ask anybody for anything.
				\TenantCRMSync::with_settings(
					'limits',
					array(
						'api_endpoint' => 'https://crm.example',
						'api_key'      => 'x',
						'limits'       => $this->limits,
					)
				);
			} catch ( \TenantCRMSync\Exception $error ) {
				$this->errors['limits'] = (string) preg_replace( '/^.*?the setting limits: /s', '', $error->getMessage() );
			}
		}
	}
}
