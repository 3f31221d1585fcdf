<?php
/**
 * The translations that come with the plugin: PHP and scripts of a German site speak German, Austrians too, and what nobody translated stays as it
 * was. That they are complete and current is the business of bin/languages --check.
 */

use TenantCRM\Admin\TenantHealth;
use TenantCRM\Admin\Words;
use TenantCRM\Capabilities;
use TenantCRM\Languages;
use TenantCRM\Plugin;

final class LanguagesTest extends PluginCase {

	protected function tearDown(): void {
		remove_all_filters( 'locale' );
		unload_textdomain( 'tenant-crm-sync', true );
	}

	private function speak( string $locale ): void {
		remove_all_filters( 'locale' );
		add_filter( 'locale', static fn(): string => $locale );
		unload_textdomain( 'tenant-crm-sync', true );
		Languages::load();
	}

	public function test_php_speaks_the_users_language_or_one_like_it(): void {
		foreach ( array( 'de_DE' => 'Gesund', 'de_AT' => 'Gesund', 'de_DE_formal' => 'Gesund', 'nl_NL' => 'Gezond', 'nl_BE' => 'Gezond', 'fr_FR' => 'Healthy', 'en_US' => 'Healthy' ) as $locale => $word ) { // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
			$this->speak( $locale );
			$this->assertSame( $word, TenantHealth::names()['good'], $locale );
		}
		$this->speak( 'de_DE' );
		$run = array( 'state' => 'done', 'created' => 2500, 'updated' => 0, 'unchanged' => 1, 'refused' => 0 ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		$this->assertStringContainsString( 'angelegt', Words::counts( $run ) );
		$this->assertSame( '1 Datensatz, unverändert.', Words::counts( array( 'created' => 0 ) + $run ) );
		$this->assertSame( 'Alle 2 Datensätze unverändert.', Words::counts( array( 'created' => 0, 'unchanged' => 2 ) + $run ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
	}

	/** What WordPress 6.7 calls too early. */
	public function test_nothing_is_translated_while_plugins_are_loaded(): void {
		global $wp_actions;
		$asked   = 0;
		$actions = $wp_actions;
		add_filter(
			'gettext_tenant-crm-sync',
			static function ( $text ) use ( &$asked ) {
				++$asked;
				return $text;
			}
		);
		try {
			$this->assertArrayHasKey( 'tenant_crm_sync_five_minutes', wp_get_schedules() );
			$this->assertSame( 1, $asked, 'the control' );
			unset( $wp_actions['after_setup_theme'], $wp_actions['init'] );
			$this->assertArrayHasKey( 'tenant_crm_sync_five_minutes', wp_get_schedules() );
			// What an update without activation does.
			Plugin::install();
			$this->assertSame( 1, $asked );
		} finally {
			$wp_actions = $actions; // phpcs:ignore WordPress.WP.GlobalVariablesOverride -- as it was.
			remove_all_filters( 'gettext_tenant-crm-sync' );
		}
	}

	public function test_the_role_has_a_name_in_each_users_language(): void {
		$name = static fn(): string => translate_user_role( wp_roles()->roles[ Capabilities::PORTAL_ROLE ]['name'] );
		Capabilities::grant();
		$this->assertSame( 'CRM portal user', $name() );
		$this->speak( 'de_DE' );
		$this->assertSame( 'Benutzer des CRM-Portals', $name() );
		$this->assertSame( 'Subscriber', translate_user_role( 'Subscriber' ), 'there is no German of WordPress here' );
	}

	public function test_scripts_get_one_file_in_the_form_that_they_read(): void {
		$this->speak( 'de_AT' );
		$json = load_script_translations( false, 'tenant-crm-sync', 'tenant-crm-sync' );
		$this->assertIsString( $json );
		$data = json_decode( $json, true )['locale_data']['messages'];
		$this->assertSame( array( '%s Datensatz', '%s Datensätze' ), $data['%s record'] );
		$this->assertSame( array( 'noch etwa %s s' ), $data['about %s s left'] );
		$this->assertSame( 'nplurals=2; plural=(n != 1);', $data['']['plural-forms'] );
		$this->assertArrayNotHasKey( 'Healthy', $data, 'only what scripts say' );
		$this->assertFalse( load_script_translations( false, 'other', 'other-plugin' ), 'other plugins have their own' );
	}

	public function test_the_check_finds_what_is_missing_and_other_placeholders(): void {
		$copy = sys_get_temp_dir() . '/tcs-languages-test-' . getmypid();
		mkdir( $copy );
		$run = static function ( string ...$arguments ) use ( $copy ): array {
			exec( 'bash -c ' . escapeshellarg( implode( ' ', array_map( 'escapeshellarg', $arguments ) ) . ' 2>&1' ), $lines, $code );
			return array( $code, implode( "\n", $lines ) );
		};
		try {
			$run( 'cp', '-rL', dirname( Plugin::file() ) . '/.', $copy );
			file_put_contents( "$copy/includes/Sample.php", "<?php __( 'A string that nobody has seen', 'tenant-crm-sync' );" );
			$po = (string) file_get_contents( "$copy/languages/tenant-crm-sync-de_DE.po" );
			file_put_contents( "$copy/languages/tenant-crm-sync-de_DE.po", str_replace( '"%s Datensätze/s"', '"%d Datensätze/s"', $po ) );
			list( $code, $said ) = $run( PHP_BINARY, "$copy/bin/languages", '--check' );
			$this->assertSame( 1, $code );
			$this->assertStringContainsString( 'tenant-crm-sync-nl_NL.po: not translated: "A string that nobody has seen"', $said );
			$this->assertStringContainsString( 'tenant-crm-sync-de_DE.po: other placeholders: %s records/s => %d', $said );
			$this->assertStringContainsString( 'languages/tenant-crm-sync.pot is old', $said );
		} finally {
			$run( 'rm', '-rf', $copy );
		}
	}
}
