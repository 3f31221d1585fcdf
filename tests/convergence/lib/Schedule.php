<?php
/**
 * What happens in one schedule, all of it from its seed: tenants with their rules, and rounds of what people, CRMs, networks and workers do.
 * Nothing here knows how any of it is done (see Player), nor what must come of it (see Judge).
 *
 * A person of an action is a number: the player takes the one at that place among those that are there, and skips what has nobody.
 */

final class Schedule {

	public const FIELDS = array( 'name', 'email', 'phone' );

	private const DIRECTIONS = array( 'both' => 6, 'to_crm' => 1, 'from_crm' => 2 );
	private const DIALECTS   = array( 'rest' => 5, 'hubspot' => 1 );
	private const POLICIES   = array( 'crm' => 1, 'portal' => 1, 'newest' => 1, 'ask' => 2 );

	/** What happens how often, by direction. */
	private const ACTIONS = array(
		'both'     => array( 'portal edit' => 20, 'portal create' => 5, 'portal touch' => 2, 'portal trash' => 3, 'portal untrash' => 2, 'portal delete' => 2, 'crm edit' => 16, 'crm touch' => 2, 'crm create' => 4, 'crm delete' => 3, 'both create' => 3, 'both edit' => 8, 'portal tag' => 4, 'crm tag' => 4, 'webhook' => 8, 'fault' => 8, 'decide' => 2 ),
		'to_crm'   => array( 'portal edit' => 20, 'portal create' => 8, 'portal touch' => 2, 'portal trash' => 2, 'crm edit' => 10, 'crm create' => 2, 'both create' => 2, 'webhook' => 2, 'fault' => 8 ),
		'from_crm' => array( 'portal edit' => 8, 'portal touch' => 1, 'crm edit' => 20, 'crm touch' => 2, 'crm create' => 8, 'crm delete' => 1, 'webhook' => 6, 'fault' => 8 ),
	);

	/** What goes wrong with a request, how often. */
	private const FAULTS = array( '429' => 3, '429 later' => 1, '500' => 2, '503' => 2, '503 though done' => 3, 'cut before' => 3, 'cut after' => 2, 'cut though done' => 4, 'cut in the middle' => 3, 'half of the JSON' => 3, 'stall' => 1 );

	/** @var list<array<string, mixed>> */
	public array $tenants = array();

	/** @var list<array{actions: list<array<string, mixed>>, during: list<array<string, mixed>>, work: list<array<string, mixed>>}> */
	public array $rounds = array();

	public function __construct( public readonly int $seed ) {
		$dice = new Dice( $seed );
		for ( $tenant = 0, $count = $dice->one( array( 1, 1, 2 ) ); $tenant < $count; $tenant++ ) {
			$this->tenants[] = self::tenant( $dice, "s{$seed}t$tenant", $dice->weighed( self::DIRECTIONS ) );
		}
		for ( $round = 0, $count = 3 + $dice->below( 4 ); $round < $count; $round++ ) {
			$this->rounds[] = $this->round( $dice, $round );
		}
	}

	/** @return array<string, mixed> */
	private static function tenant( Dice $dice, string $id, string $direction ): array {
		$policies = array();
		foreach ( $dice->once_in( 3 ) ? self::FIELDS : array() as $field ) {
			$policies[ $field ] = $dice->weighed( self::POLICIES );
		}
		$settings = array(
			'direction'      => $direction,
			'policy'         => $dice->weighed( self::POLICIES ),
			'policies'       => $policies,
			'delete_policy'  => $dice->one( array( 'crm', 'portal', 'ask' ) ),
			'portal_deletes' => 'both' === $direction ? $dice->weighed( array( 'ask' => 2, 'delete' => 3, 'keep' => 1 ) ) : 'delete',
			'crm_deletes'    => $dice->weighed( array( 'bin' => 4, 'keep' => 1 ) ),
			'timeout'        => 1.5,
		);
		if ( 'from_crm' === $direction ) {
			$settings = array( 'timeout' => 1.5 ) + ( $dice->once_in( 3 ) ? array( 'hooks' => true ) : array() );
		}
		if ( $dice->once_in( 3 ) ) {
			$settings['page_size'] = $dice->one( array( 1, 2, 3 ) );
		}
		$dialect = $dice->weighed( self::DIALECTS );
		$is_rest = 'rest' === $dialect;
		$settings += $is_rest ? array() : array( 'limits' => '[{"amount":100000,"seconds":10}]' );
		return array(
			'id'        => $id,
			'direction' => $direction,
			'dialect'   => $dialect,
			'settings'  => $settings,
			'rewrites'  => $dice->once_in( 3 ),
			'crm'       => ( $is_rest ? array() : array( 'dialect' => $dialect ) ) + array(
				'paging'     => $dice->one( array( 'page', 'cursor', 'link', 'relative_link', 'none' ) ),
				'order'      => $dice->one( array( 'id', 'updated_at' ) ),
				'ids'        => $dice->one( array( 'int', 'string', 'uuid', 'mixed_case' ) ),
				'timestamps' => $dice->one( array( 'rfc3339', 'rfc3339', 'naive', 'epoch', 'epoch_ms' ) ),
				// Hours behind, a little ahead, a day ahead.
				'clock_ms'   => $dice->one( array( 0, 0, -7200000, 1500, 86400000 ) ),
			),
			'decide'    => $dice->one( array( 'crm', 'portal', 'either' ) ),
			'people'    => $dice->below( 6 ),
		);
	}

	/** @return array<string, mixed> */
	private function round( Dice $dice, int $round ): array {
		$actions = array();
		$during  = array();
		$work    = array();
		foreach ( $this->tenants as $number => $tenant ) {
			for ( $action = 0, $count = $dice->below( 6 ); $action < $count; $action++ ) {
				$actions[] = self::action( $dice, $number, $tenant['direction'] );
			}
			if ( $dice->once_in( 3 ) ) {
				// While workers are at it only the portal is edited: what the CRM changes between a look and a write no protocol can see.
				$during[] = array( 'what' => 'portal swap' ) + self::edit( $dice, $number, 'portal' );
			}
			$work[] = array(
				'pull'   => ! $dice->once_in( 4 ),
				'push'   => ! $dice->once_in( 4 ),
				'full'   => $dice->once_in( 8 ),
				'passes' => ! $dice->once_in( 3 ),
				'kill'   => $dice->once_in( 4 ) ? array( $dice->one( array( 'pull', 'push' ) ), 1 + $dice->below( 60 ) ) : null,
			);
		}
		return array(
			'actions' => $round ? $actions : array_values( array_filter( $actions, static fn( array $action ): bool => $dice->once_in( 2 ) ) ),
			'during'  => $round ? $during : array(),
			'work'    => $work,
		);
	}

	/** @return array<string, mixed> */
	private static function action( Dice $dice, int $tenant, string $direction ): array {
		$what = $dice->weighed( self::ACTIONS[ $direction ] );
		if ( str_ends_with( $what, ' edit' ) ) {
			return array( 'what' => $what ) + self::edit( $dice, $tenant, 'portal' );
		}
		$action = array( 'what' => $what, 'tenant' => $tenant, 'person' => $dice->below( 1000 ) );
		if ( 'portal create' === $what || 'both create' === $what ) {
			$action += array( 'way' => $dice->weighed( array( 'at once' => 3, 'meta behind' => 2, 'push' => 2, 'killed' => 1 ) ), 'kill' => 1 + $dice->below( 30 ) );
		} elseif ( str_ends_with( $what, ' tag' ) ) {
			$action += array( 'is_new' => ! $dice->once_in( 3 ), 'which' => $dice->below( 1000 ) );
		} elseif ( 'webhook' === $what ) {
			$action += array( 'copies' => 1 + $dice->below( 3 ), 'late' => $dice->below( 3 ), 'over' => $dice->once_in( 10 ) ? 'http' : 'call' );
		} elseif ( 'fault' === $what ) {
			$action += array( 'kind' => $dice->weighed( self::FAULTS ), 'method' => $dice->one( array( null, 'GET', 'POST', 'PATCH', 'DELETE' ) ), 'times' => 1 + $dice->below( 2 ), 'after' => $dice->below( 3 ) );
		}
		return $action;
	}

	/** @return array<string, mixed> */
	private static function edit( Dice $dice, int $tenant, string $side ): array {
		return array(
			'what'   => "$side edit",
			'tenant' => $tenant,
			'person' => $dice->below( 1000 ),
			'fields' => array_values( array_unique( array( $dice->one( self::FIELDS ), $dice->one( self::FIELDS ) ) ) ),
			'way'    => $dice->weighed( array( 'api' => 4, 'sql' => 2, 'rest' => 2, 'killed' => 2, 'push' => 1 ) ),
			'kill'   => 1 + $dice->below( 24 ),
		);
	}

	/** For people: one line a step. */
	public function __toString(): string {
		$lines = array( "seed {$this->seed}" );
		foreach ( $this->tenants as $number => $tenant ) {
			$lines[] = "tenant $number: " . json_encode( $tenant );
		}
		foreach ( $this->rounds as $number => $round ) {
			foreach ( array( 'actions', 'during', 'work' ) as $part ) {
				foreach ( $round[ $part ] as $step ) {
					$lines[] = "round $number, $part: " . json_encode( $step );
				}
			}
		}
		return implode( "\n", $lines ) . "\n";
	}
}
