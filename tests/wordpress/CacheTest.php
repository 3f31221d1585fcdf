<?php
/**
 * With a persistent object cache: what other processes have cached of a post is gone when its batch is stored, also when the worker
 * died right after COMMIT. Each step is a process of its own, as requests are.
 */

use TenantCRM\Schema;

final class CacheTest extends PluginCase {

	private const DROPIN = '/wp-content/object-cache.php';

	/** What a page shows of the leads: posts, meta, a query and the count, all through the cache. */
	private const READ = 'require $argv[1]; $q = new WP_Query( array( "post_type" => "crm_lead", "posts_per_page" => -1, "orderby" => "ID", "order" => "ASC" ) ); foreach ( $q->posts as $p ) { echo get_post( $p->ID )->post_title, "=", get_post_meta( $p->ID, "phone", true ), ","; } echo (int) wp_count_posts( "crm_lead" )->publish, (int) wp_using_ext_object_cache();';

	/** Stores leads 1 to 3 with the phone number in argv. */
	private const STORE = 'require $argv[1]; require dirname( $argv[1] ) . "/Rows.php"; $t = TenantCRM\Tenants::find( "acme" ); $j = TenantCRM\Jobs::claim( TenantCRM\Jobs::enqueue( $t->key ) ); $rows = array(); foreach ( LEADS as $i ) { $rows[] = array( "id" => "$i", "name" => "L$i", "phone" => PHONE ); } BEFORE ( new TenantCRM\Store( $t, $j, TenantCRM\Fields::of( $t, "leads" ) ) )->batch( new Rows( $rows ) ); TenantCRM\Jobs::finish( $j );';

	private string $folder;

	protected function setUp(): void {
		parent::setUp();
		$this->tenant();
		$this->folder = getenv( 'TCS_STACK' ) . '/tmp/cache';
		if ( ! is_dir( $this->folder ) ) {
			mkdir( $this->folder, 0700 );
		}
		array_map( 'unlink', glob( "$this->folder/*" ) );
		copy( __DIR__ . '/dropin/object-cache.php', getenv( 'TCS_WWW' ) . self::DROPIN );
		putenv( "TCS_CACHE=$this->folder" );
	}

	protected function tearDown(): void {
		putenv( 'TCS_CACHE' );
		unlink( getenv( 'TCS_WWW' ) . self::DROPIN );
		array_map( 'unlink', glob( "$this->folder/*" ) );
	}

	private function script( string $leads, string $phone, string $before = '' ): string {
		return strtr( self::STORE, array( 'LEADS' => $leads, 'PHONE' => "'$phone'", 'BEFORE' => $before ) );
	}

	public function test_other_processes_see_what_was_stored(): void {
		$this->php( $this->script( 'array( 1, 2 )', 'old' ) );
		$this->assertSame( 'L1=old,L2=old,21', $this->php( self::READ ) );
		$this->php( $this->script( 'array( 1, 2, 3 )', 'new' ) );
		$this->assertSame( 'L1=new,L2=new,L3=new,31', $this->php( self::READ ) );
	}

	public function test_the_cache_would_be_stale_without_cleaning(): void {
		global $wpdb;
		$this->php( $this->script( 'array( 1, 2 )', 'old' ) );
		$this->php( self::READ );
		$wpdb->query( "UPDATE $wpdb->postmeta SET meta_value = 'behind its back' WHERE meta_key = 'phone'" );
		$this->assertSame( 'L1=old,L2=old,21', $this->php( self::READ ), 'this cache does not persist, so the other tests show nothing' );
	}

	public function test_a_worker_that_died_after_commit_cleans_when_its_job_resumes(): void {
		global $wpdb;
		$this->php( $this->script( 'array( 1, 2 )', 'old' ) );
		$this->assertSame( 'L1=old,L2=old,21', $this->php( self::READ ) );
		$die = 'add_filter( "query", static function ( $sql ) { if ( "COMMIT" === $sql && strpos( $GLOBALS["last"], "cursors" ) + strpos( $GLOBALS["last"], "touched = " ) ) { mysqli_query( $GLOBALS["wpdb"]->dbh, "COMMIT" ); posix_kill( getmypid(), SIGKILL ); } $GLOBALS["last"] = $sql; return $sql; } );';
		$this->php( $this->script( 'array( 1, 2, 3 )', 'new', $die ), false );
		$this->assertSame( '3', $this->sql( "SELECT COUNT(*) FROM $wpdb->postmeta WHERE meta_key = 'phone' AND meta_value = 'new'" ) );
		$this->assertSame( 'L1=old,L2=old,21', $this->php( self::READ ), 'it died before it cleaned' );
		$wpdb->query( 'UPDATE ' . Schema::table( 'jobs' ) . " SET lease_until = '2020-01-01'" );
		$this->php( 'require $argv[1]; TenantCRM\Worker::run( 5 );' );
		$this->assertSame( 'L1=new,L2=new,L3=new,31', $this->php( self::READ ) );
	}
}
