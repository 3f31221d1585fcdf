<?php
/**
 * What the tests of screens share: a screen as one user gets it, with what the address asks for.
 */

abstract class ScreenCase extends PluginCase {

	public static function setUpBeforeClass(): void {
		foreach ( array( 'user', 'screen', 'class-wp-screen', 'template' ) as $file ) {
			require_once ABSPATH . "wp-admin/includes/$file.php";
		}
	}

	protected function tearDown(): void {
		$_GET = array();
		wp_set_current_user( 0 );
		unset( $GLOBALS['current_screen'] );
	}

	/**
	 * @param class-string         $page
	 * @param array<string, mixed> $get
	 */
	protected static function render( string $page, string $screen, int $user, array $get ): string {
		wp_set_current_user( $user );
		$_GET = array_map( 'strval', $get );
		set_current_screen( $screen );
		$page::load();
		ob_start();
		$page::render();
		return (string) ob_get_clean();
	}
}
