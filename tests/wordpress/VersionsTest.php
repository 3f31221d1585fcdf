<?php
/**
 * Plugin, extension and tables of different versions: they say what to do, and go on where they can. The other versions are the extension itself with its version's number,
 * or the name of a method, written over in a copy of the file.
 */

use TenantCRM\Extension;
use TenantCRM\Plugin;
use TenantCRM\Schema;
use TenantCRM\SiteHealth;
use TenantCRM\Tenants;

final class VersionsTest extends PluginCase {

	use Commanding;

	/** What the screen, Site Health and REST say in a process of their own. */
	private const SHOW = '
		require $argv[1];
		require_once ABSPATH . "wp-admin/includes/admin.php";
		wp_set_current_user( 1 );
		set_current_screen( "plugins" );
		ob_start();
		TenantCRM\Admin\Notices::versions();
		$health = TenantCRM\SiteHealth::result( "extension" );
		echo json_encode( array( TenantCRM\Plugin::is_ready(), wp_strip_all_tags( ob_get_clean() ), $health["status"], wp_strip_all_tags( $health["description"] ) ), JSON_UNESCAPED_UNICODE );';

	/** The name of a method that the plugin cannot do without, and of one that nobody has. */
	private const OLDER = array( 'wait_for_wake' => 'wait_for_snow' );

	/**
	 * Runs something with a changed copy of the extension in every process that it starts.
	 *
	 * @param array<string, string> $changes Texts of equal length.
	 */
	private function with_extension( array $changes, callable $run ): mixed {
		$folder = getenv( 'TCS_STACK' ) . '/tmp/versions';
		mkdir( $folder );
		$library = file_get_contents( getenv( 'TCS_EXT' ) );
		foreach ( $changes as $from => $to ) {
			$this->assertSame( strlen( $from ), strlen( $to ) );
			$this->assertStringContainsString( $from, $library );
			$library = str_replace( $from, $to, $library );
		}
		file_put_contents( "$folder/other.so", $library );
		foreach ( glob( getenv( 'TCS_PHP_INI_DIR' ) . '/*.ini' ) as $ini ) {
			file_put_contents( "$folder/" . basename( $ini ), str_replace( getenv( 'TCS_EXT' ), "$folder/other.so", file_get_contents( $ini ) ) );
		}
		$scan = getenv( 'PHP_INI_SCAN_DIR' );
		putenv( "PHP_INI_SCAN_DIR=$folder" );
		try {
			return $run();
		} finally {
			putenv( "PHP_INI_SCAN_DIR=$scan" );
			array_map( 'unlink', glob( "$folder/*" ) );
			rmdir( $folder );
		}
	}

	/** @return array{0: bool, 1: string, 2: string, 3: string} Whether the plugin works, its notice, and the status and words of Site Health. */
	private function shown(): array {
		return json_decode( $this->php( self::SHOW ), true );
	}

	private static function of_minor( string $version, int $step ): string {
		list( $major, $minor, $patch ) = explode( '.', $version );
		return implode( '.', array( $major, (int) $minor + $step, $patch ) );
	}

	private function acme(): void {
		Sandbox::reset();
		Sandbox::tenant( 'acme', 3 );
		Tenants::save( array( 'id' => 'acme', 'endpoint' => getenv( 'TCS_SANDBOX_URL' ), 'api_key' => 'key-of-acme' ) );
	}

	public function test_of_one_version_nothing_is_said(): void {
		$this->assertSame( array( true, '', 'good', 'Version ' . Plugin::VERSION . ' matches the plugin.' ), $this->with_extension( array(), fn() => $this->shown() ) );
	}

	public function test_what_the_plugin_calls_is_what_it_asks_for(): void {
		$files  = new RegexIterator( new RecursiveIteratorIterator( new RecursiveDirectoryIterator( dirname( __DIR__, 2 ) . '/wp-plugin/includes' ) ), '/\.php$/' );
		$code   = implode( array_map( 'file_get_contents', array_map( 'strval', iterator_to_array( $files, false ) ) ) );
		$called = array_filter( get_class_methods( 'TenantCRMSync' ), static fn( string $name ): bool => 1 === preg_match( "/TenantCRMSync::$name\(|(\\\$(this->)?client|client\(\))->$name\(/", $code ) );
		sort( $called );
		$this->assertSame( $called, array_values( array_intersect( Extension::NEEDED, $called ) ), 'all that is called is asked for, in the order of the alphabet' );
		$this->assertSame( array(), Extension::missing( 'TenantCRMSync' ), 'and all that is asked for is there' );
		$unused = array_filter( Extension::NEEDED, static fn( string $name ): bool => 1 !== preg_match( "/(::|->)$name\(/", $code ) );
		$this->assertSame( array(), array_values( $unused ), 'and called' );
	}

	public function test_an_extension_that_lacks_something_is_named_with_the_remedy_and_touches_nothing(): void {
		$this->acme();
		$before = $this->everything();
		list( $shown, $doctor, $help ) = $this->with_extension( self::OLDER, fn() => array( $this->shown(), $this->command( array( 'sync', '--all' ) ), $this->command( array( 'help' ) ) ) );
		$words                         = sprintf( 'The PHP extension is version %1$s and lacks what version %2$s of the plugin calls (wait_for_wake). Install version %2$s of the extension and restart PHP-FPM. Until then no tenant is synced; nothing was changed or lost.', Extension::version(), Plugin::VERSION );
		$this->assertSame( array( false, "Tenant CRM Sync does nothing just now. $words", 'critical', $words ), $shown );
		$this->assertSame( array( 1, '', "error: $words\n" ), $doctor );
		$this->assertSame( 0, $help[0] );
		$this->assertSame( $before, $this->everything() );
	}

	/** @return iterable<string, array{0: int, 1: string}> */
	public function others(): iterable {
		yield 'an older one' => array( -1, 'The plugin is version %1$s, the extension only %2$s. Syncs go on. Install version %1$s of the extension and restart PHP-FPM.' );
		yield 'a newer one' => array( 1, 'The extension is version %2$s, the plugin only %1$s. Syncs go on. Update the plugin to version %2$s.' );
	}

	/** @dataProvider others */
	public function test_an_extension_of_another_version_is_told_and_syncs_go_on( int $step, string $words ): void {
		$this->acme();
		$here                          = Extension::version();
		$other                         = self::of_minor( $here, $step );
		$words                         = sprintf( $words, Plugin::VERSION, $other );
		list( $shown, $sync, $doctor ) = $this->with_extension( array( $here => $other ), fn() => array( $this->shown(), $this->command( array( 'sync', '--all', '--porcelain' ) ), $this->command( array( 'doctor', '--format=json' ) ) ) );
		$this->assertSame( array( true, "Tenant CRM Sync: $words", 'recommended', $words ), $shown );
		$this->assertSame( 0, $sync[0], $sync[2] );
		$this->assertSame( 3, $this->posts() );
		$this->assertSame( $words, array_column( json_decode( $doctor[1], true ), 'details', 'check' )['extension'] );
	}

	public function test_tables_of_a_newer_plugin_are_told_left_alone_and_used(): void {
		global $wpdb;
		$this->acme();
		$records = Schema::table( 'records' );
		$wpdb->query( "ALTER TABLE `$records` ADD COLUMN of_tomorrow VARCHAR(20) NOT NULL DEFAULT 'kept'" );
		update_option( Schema::OPTION, Schema::VERSION + 2 );
		try {
			$shown = $this->shown();
			$this->assertSame( 'good', $shown[2] );
			$this->assertStringContainsString( sprintf( 'the tables are of version %d, this plugin knows version %d. Syncs go on', Schema::VERSION + 2, Schema::VERSION ), $shown[1] );
			$this->assertSame( 'recommended', SiteHealth::result( 'tables' )['status'] );
			list( $code, , $errors ) = $this->command( array( 'sync', '--all' ) );
			$this->assertSame( 0, $code, $errors );
			$this->assertSame( 3, $this->posts() );
			$this->assertSame( (string) ( Schema::VERSION + 2 ), (string) get_option( Schema::OPTION ), 'its number stays' );
			$this->assertSame( '3', $this->sql( "SELECT COUNT(*) FROM `$records` WHERE of_tomorrow = 'kept'" ) );
		} finally {
			update_option( Schema::OPTION, Schema::VERSION );
			$wpdb->query( "ALTER TABLE `$records` DROP COLUMN of_tomorrow" );
		}
	}
}
