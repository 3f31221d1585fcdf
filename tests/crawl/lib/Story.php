<?php
/**
 * The order of it: everybody looks; then strangers try to change what is tenant B's, with every nonce taken for good, and nothing of it may have
 * changed; then B's own user does the same. And what holds whatever the table says.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Crawl;

use TenantCRM\Tests\Fpm\Checks;

final class Story {

	/** @var list<array{0: string, 1: Target, 2: Answer}> */
	private array $answers = array();

	public function __construct( private readonly Checks $checks, private readonly Fixtures $fixtures, private readonly Visitors $visitors, private readonly Table $table ) {
	}

	public function tell(): void {
		$start   = microtime( true );
		$targets = $this->targets();
		$this->article();
		// With these rules the public type has addresses; without the type they lead nowhere.
		$this->visitors->ask( array( array( 'nobody', new Target( 'rules', '/?tcs_crawl=rules', 'GET', null, array( 'X-Tcs-Type: public' ) ) ) ) );
		$this->ask( $targets->looks() );
		$before = $this->fixtures->of_b();
		$this->checks->is( 'there is something of tenant B to change', str_contains( $before, 'CANARYLEADB' ) );
		foreach ( array( 'nobody', 'subscriber', 'a' ) as $stranger ) {
			$this->ask( $targets->changes( array( $stranger ) ) );
		}
		$after = $this->fixtures->of_b();
		$this->checks->is( 'nothing of tenant B was changed by strangers', $before === $after, self::difference( $before, $after ) );
		// What one of these changes, the next one meets.
		$this->ask( $targets->changes( array( 'b' ) ), 1 );
		$this->checks->is( 'it is by B’s own user', $after !== $this->fixtures->of_b() );
		$this->laws( $targets );
		$this->compare();
		printf( "figure: %d requests, %d lines, %.1f s\n", count( $this->answers ), count( $this->table->got() ), microtime( true ) - $start );
	}

	private function targets(): Targets {
		$list   = new Target( 'targets', '/wp-admin/?tcs_crawl=targets', 'GET', null, array( 'X-Tcs-Type: public' ) );
		$answer = $this->visitors->ask( array( array( 'admin', $list ) ) )[0];
		$listed = json_decode( $answer->body(), true );
		if ( ! is_array( $listed ) ) {
			throw new \RuntimeException( 'The site did not say what there is to crawl: ' . substr( $answer->body(), 0, 300 ) );
		}
		$this->checks->is( 'the site lists routes, screens, actions and feeds', count( $listed['routes'] ) > 50 && count( $listed['screens'] ) > 3 && count( $listed['actions'] ) > 5 && count( $listed['feeds'] ) > 3, (string) json_encode( array_map( 'count', $listed ) ) );
		return new Targets( $listed, $this->fixtures );
	}

	/** @param list<Target> $targets */
	private function ask( array $targets, int $at_once = Visitors::AT_ONCE ): void {
		$asked = array();
		foreach ( $targets as $target ) {
			foreach ( $target->for as $visitor ) {
				$asked[] = array( $visitor, $target );
			}
		}
		foreach ( $this->visitors->ask( $asked, $at_once ) as $number => $answer ) {
			list( $visitor, $target ) = $asked[ $number ];
			$this->answers[]          = array( $visitor, $target, $answer );
			$this->table->put( $target, $visitor, $answer->cell( $this->fixtures->canaries ) );
		}
	}

	/** What no table may say otherwise. */
	private function laws( Targets $targets ): void {
		$not  = array(
			'nobody'     => array( 'A', 'B', 'a', 'b' ),
			'subscriber' => array( 'A', 'B', 'a', 'b' ),
			'a'          => array( 'B', 'b' ),
			'b'          => array( 'A', 'a' ),
			'admin'      => array(),
		);
		$seen = array();
		$bad  = array(
			'secret' => array(),
			'others' => array(),
			'broken' => array(),
			'kept'   => array(),
		);
		foreach ( $this->answers as list( $visitor, $target, $answer ) ) {
			$marks            = explode( ' ', $answer->cell( $this->fixtures->canaries ) );
			$seen[ $visitor ] = array_merge( $seen[ $visitor ] ?? array(), $marks );
			$what             = "$visitor: {$target->name}";
			if ( in_array( 'SECRET', $marks, true ) ) {
				$bad['secret'][] = $what;
			}
			if ( array_intersect( $marks, $not[ $visitor ] ) ) {
				$bad['others'][] = $what;
			}
			if ( $answer->is_broken() ) {
				$bad['broken'][] = $what;
			}
			if ( 'GET' === $target->method && array_intersect( $marks, array( 'A', 'B' ) ) && $answer->may_be_kept() ) {
				$bad['kept'][] = $what;
			}
			if ( str_contains( $target->path, '/tenant-crm-sync/' ) && ! str_contains( $target->path, '/webhook/' ) && ! $answer->is_private() ) {
				$bad['kept'][] = $what;
			}
		}
		$this->checks->same( 'no secret is shown to anybody', array(), $bad['secret'] );
		$this->checks->same( 'nobody sees leads or tenants of others', array(), $bad['others'] );
		$this->checks->same( 'no answer is broken', array(), $bad['broken'] );
		$this->checks->same( 'no cache may keep what shows leads, nor any answer of our routes', array(), $bad['kept'] );
		$this->checks->same( 'every route has permission_callback and schema', array(), $targets->careless() );
		foreach ( array( 'a' => 'A', 'b' => 'B', 'admin' => 'B' ) as $visitor => $mark ) {
			$this->checks->is( "$visitor sees $mark in more than ten places", count( array_keys( $seen[ $visitor ], $mark, true ) ) > 10 );
		}
	}

	private function compare(): void {
		$this->table->write();
		$this->table->show();
		$got      = $this->table->got();
		$expected = $this->table->expected();
		foreach ( $expected as $name => $cells ) {
			$this->checks->same( "table: $name", str_replace( "\t", ' | ', $cells ), str_replace( "\t", ' | ', $got[ $name ] ?? 'not there any more' ) );
		}
		$this->checks->same( 'table: nothing that is not expected (tests/crawl/run --update writes it; read the diff)', array(), array_values( array_diff( array_keys( $got ), array_keys( $expected ) ) ) );
	}

	/** The article's code looks for a lead before it makes one: it finds it under cron, and in the request of a visitor, who sees no leads. */
	private function article(): void {
		$count = static function (): int {
			global $wpdb;
			return (int) $wpdb->get_var( "SELECT COUNT(*) FROM `$wpdb->posts` WHERE post_type = 'crm_lead' AND post_title LIKE 'Article 90%'" );
		};
		foreach ( array( 'public', 'own' ) as $type ) {
			$this->forget_article();
			foreach ( array( 'first', 'second' ) as $time ) {
				wp_schedule_single_event( time() - 10, 'tcs_crawl_article', array( "$type $time" ) );
				$this->visitors->ask( array( array( 'nobody', new Target( 'cron', '/wp-cron.php?doing_wp_cron', 'GET', null, array( "X-Tcs-Type: $type" ) ) ) ) );
				// It answers before it works.
				for ( $wait = 0; $wait < 300 && "$type $time" !== $this->last_article(); $wait++ ) {
					usleep( 100000 );
				}
				wp_cache_flush();
				$this->checks->same( "the article’s job, run by cron for the $time time ($type type): two leads, two posts", 2, $count() );
			}
		}
		$this->visitors->ask( array( array( 'nobody', new Target( 'article', '/?tcs_crawl=article', 'GET', null, array( 'X-Tcs-Type: own' ) ) ) ) );
		$this->checks->same( 'the same in a visitor’s request: no lead is doubled', 2, $count() );
		$this->forget_article();
	}

	private function last_article(): string {
		global $wpdb;
		return (string) $wpdb->get_var( "SELECT option_value FROM `$wpdb->options` WHERE option_name = 'tcs_crawl_article'" );
	}

	private function forget_article(): void {
		global $wpdb;
		foreach ( $wpdb->get_col( "SELECT ID FROM `$wpdb->posts` WHERE post_type = 'crm_lead' AND post_title LIKE 'Article 90%'" ) as $post ) {
			wp_delete_post( (int) $post, true );
		}
	}

	private static function difference( string $before, string $after ): string {
		return implode( ' / ', array_slice( array_diff( explode( "\n", $after ), explode( "\n", $before ) ), 0, 10 ) );
	}
}
