<?php
/**
 * Schedules that go on side by side, round by round, with the same workers: played, brought to rest, watched while nothing must happen, judged.
 */

final class Group {

	/** Cycles in which everything must come to rest, and cycles that must be silent then. */
	private const REST   = 12;
	private const SILENT = 3;

	private const WORK = array( 'pull' => true, 'push' => true, 'full' => false );

	/** @var list<Player> */
	private array $players;

	/** @param list<int> $seeds @param bool $is_told Whether somebody wants to read what happens. */
	public function __construct( array $seeds, private readonly bool $is_told = false ) {
		Portal::wipe();
		Crm::wipe();
		$this->players = array_map( static fn( int $seed ): Player => new Player( new Schedule( $seed ) ), $seeds );
	}

	/** @return list<Player> With what is wrong in each. */
	public function play(): array {
		for ( $round = 0, $most = max( array_map( static fn( Player $player ): int => count( $player->schedule->rounds ), $this->players ) ); $round < $most; $round++ ) {
			$this->round( $round );
			$this->tell( "after round $round" );
		}
		$this->rest();
		$before = $this->everything();
		Crm::forget_requests();
		for ( $cycle = 0; $cycle < self::SILENT; $cycle++ ) {
			$this->cycle( self::WORK );
		}
		$writes = Crm::writes();
		$after  = $this->everything();
		foreach ( $this->players as $player ) {
			foreach ( $player->tenants as $number => $tenant ) {
				$sides          = Sides::of( $tenant );
				$sides->writes  = $writes[ $tenant->id ] ?? array();
				$sides->before  = $before[ $tenant->id ];
				$sides->after   = $after[ $tenant->id ];
				$player->faults = array_merge( $player->faults, Judge::faults( $player->history, $sides, $player->schedule->tenants[ $number ] ) );
			}
		}
		return $this->players;
	}

	private function round( int $round ): void {
		$during = array();
		$passed = array();
		foreach ( $this->players as $player ) {
			$now = $player->schedule->rounds[ $round ] ?? array( 'actions' => array(), 'during' => array(), 'work' => array() );
			$player->rewrite();
			$player->deliver();
			foreach ( $now['actions'] as $action ) {
				$player->play( $action );
			}
			foreach ( $now['work'] as $number => $work ) {
				if ( $work['passes'] ) {
					$passed[] = $player->tenants[ $number ]->key;
				}
			}
			foreach ( $now['during'] as $action ) {
				$during[] = static fn() => $player->play( $action );
			}
		}
		Workers::pass( $passed );
		foreach ( $this->players as $player ) {
			foreach ( $player->schedule->rounds[ $round ]['work'] ?? array() as $number => $work ) {
				$player->work( $number, $work );
			}
		}
		Workers::run( static fn() => array_map( static fn( callable $do ) => $do(), $during ) );
	}

	/** Nothing goes wrong any more, and workers come until nothing is due. */
	private function rest(): void {
		foreach ( $this->tenants() as $tenant ) {
			Crm::faults( $tenant->id, array(), false );
		}
		$busy = null;
		for ( $cycle = 0; $cycle < self::REST; $cycle++ ) {
			foreach ( $this->players as $player ) {
				$rewritten = $player->rewrite();
				$busy      = null === $busy ? null : array_merge( $busy, $rewritten );
				$player->deliver( true );
			}
			$this->cycle( array( 'full' => $cycle < 2 ) + self::WORK, $busy );
			$left = array_flip( array_column( Workers::waiting( $this->keys() ), 'tenant' ) );
			$busy = array();
			foreach ( $this->players as $player ) {
				foreach ( $player->tenants as $number => $tenant ) {
					if ( $player->decide( $number ) || isset( $left[ $tenant->key ] ) || $cycle < 1 ) {
						$busy[] = $tenant->key;
					}
				}
			}
			$this->tell( "after cycle $cycle of rest" );
			if ( ! $busy ) {
				return;
			}
		}
	}

	/** @param list<int>|null $tenants Those that have something to do; null: all. */
	private function cycle( array $work, ?array $tenants = null ): void {
		$tenants ??= $this->keys();
		Workers::pass( $tenants );
		foreach ( $this->players as $player ) {
			foreach ( $player->tenants as $number => $tenant ) {
				if ( in_array( $tenant->key, $tenants, true ) ) {
					$player->work( $number, $work );
				}
			}
		}
		Workers::run();
	}

	private function tell( string $when ): void {
		foreach ( $this->is_told ? $this->players : array() as $player ) {
			$player->look( $when );
		}
	}

	/** @return list<TenantCRM\Tenant> */
	private function tenants(): array {
		return array_merge( ...array_map( static fn( Player $player ): array => $player->tenants, $this->players ) );
	}

	/** @return list<int> */
	private function keys(): array {
		return array_map( static fn( TenantCRM\Tenant $tenant ): int => $tenant->key, $this->tenants() );
	}

	/** @return array<string, string> */
	private function everything(): array {
		return Sides::everything( $this->tenants() );
	}
}
