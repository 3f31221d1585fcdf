<?php
/**
 * What the sniffs must find, line by line, beside what looks like it and is well. Never loaded.
 */

namespace TenantCRM;

final class Bad {

	private string $where = '';

	private string $order = '';

	public static function register(): void {
		add_action( 'admin_post_bad', array( self::class, 'no_nonce' ) );
		add_action( 'wp_ajax_bad', array( self::class, 'no_capability' ) );
		add_action( 'admin_post_good', array( self::class, 'good_handler' ) );
		register_rest_route( 'x/v1', '/a', array( 'callback' => 'a' ) ); // finds: WordPress.Security.PermissionCallback
		register_rest_route( 'x/v1', '/b', array( 'callback' => 'b', 'permission_callback' => '__return_true' ) ); // finds: WordPress.Security.PermissionCallback
		register_rest_route( 'x/v1', '/c', array( 'callback' => 'c', 'permission_callback' => array( self::class, 'may' ) ) );
	}

	public static /* finds: WordPress.Security.NonceVerification */ function no_nonce(): void {
		if ( current_user_can( 'manage_options' ) ) {
			self::good_handler();
		}
	}

	public static /* finds: WordPress.Security.NonceVerification */ function no_capability(): void {
		check_ajax_referer( 'x' );
	}

	public static function good_handler(): void {
		check_admin_referer( 'x' );
		if ( current_user_can( 'manage_options' ) ) {
			update_option( 'x', absint( $_POST['x'] ?? 0 ) );
			update_option( 'y', $_POST['y'] ); // finds: WordPress.Security.ValidatedSanitizedInput
			update_option( 'z', sanitize_text_field( wp_unslash( $_POST['z'] ) ) );
		}
	}

	public static function request(): int {
		return (int) $_GET['x']; // finds: WordPress.Security.NonceVerification
	}

	public static function output( string $name, int $number, array $row ): void {
		echo $name; // finds: WordPress.Security.EscapeOutput
		echo '<b>' . $name . '</b>'; // finds: WordPress.Security.EscapeOutput
		echo "<b>$name</b>"; // finds: WordPress.Security.EscapeOutput
		echo "<b>{$row['name']}</b>"; // finds: WordPress.Security.EscapeOutput
		echo esc_html( $name ), $row['name']; // finds: WordPress.Security.EscapeOutput
		echo $number > 1 ? $name : ''; // finds: WordPress.Security.EscapeOutput
		echo $name ?: 'none'; // finds: WordPress.Security.EscapeOutput
		echo __( 'Hello', 'tenant-crm-sync' ); // finds: WordPress.Security.EscapeOutput
		printf( '<b>%s</b>', $name ); // finds: WordPress.Security.EscapeOutput
		printf( '<b>%d %s</b>', $name, $row['name'] ); // finds: WordPress.Security.EscapeOutput
		print strtoupper( $name ); // finds: WordPress.Security.EscapeOutput
		wp_die( $name ); // finds: WordPress.Security.EscapeOutput
		$text  = esc_html( $name );
		$text .= $name;
		echo $text; // finds: WordPress.Security.EscapeOutput
		foreach ( $row as $cell ) {
			echo $cell; // finds: WordPress.Security.EscapeOutput
		}
		echo implode( ', ', array_map( 'trim', $row ) ); // finds: WordPress.Security.EscapeOutput
		echo sprintf( '<b>%s</b>', self::html( $name ) ); // finds: WordPress.Security.EscapeOutput

		$html = $number > 1 ? esc_html( $name ) : '';
		echo $html, $number, (int) $name, esc_url( $name ) . '<br>', "<b>$number</b>", 'a' === $name;
		echo implode( ', ', array_map( 'esc_html', $row ) );
		printf( '<b>%d %s</b>', $name, esc_html( $name ) );
		echo self::escaped( $name );
		foreach ( array( 'a', 'b' ) as $letter ) {
			echo $letter;
		}
	}

	private static function html( string $name ): string {
		return '<b>' . $name . '</b>';
	}

	private static function escaped( string $name ): string {
		return '<b>' . esc_html( $name ) . '</b>';
	}

	public function sql( string $name, int $id, array $row ): void {
		global $wpdb;
		$table = Schema::table( 'log' );
		$wpdb->query( "DELETE FROM `$table` WHERE name = '$name'" ); // finds: WordPress.DB.PreparedSQL
		$wpdb->get_var( 'SELECT id FROM ' . $table . ' WHERE name = ' . $name ); // finds: WordPress.DB.PreparedSQL
		$wpdb->get_results( $wpdb->prepare( "SELECT * FROM `$table` WHERE name = '$name' AND id = %d", $id ) ); // finds: WordPress.DB.PreparedSQL
		Sql::rows( "SELECT * FROM `$table` WHERE name = '{$row['name']}'" ); // finds: WordPress.DB.PreparedSQL
		Sql::rows( sprintf( 'SELECT * FROM `%s` WHERE name = %s', $table, $name ) ); // finds: WordPress.DB.PreparedSQL
		Sql::change( "UPDATE `$table` SET name = '" . esc_html( $name ) . "'" ); // finds: WordPress.DB.PreparedSQL
		Sql::rows( "SELECT * FROM `$table` WHERE id IN (" . implode( ',', $row ) . ')' ); // finds: WordPress.DB.PreparedSQL
		$this->order = $name;
		Sql::rows( "SELECT * FROM `$table` ORDER BY {$this->order}" ); // finds: WordPress.DB.PreparedSQL
		$where  = $wpdb->prepare( 'name = %s', $name );
		$where .= " AND email = '$name'";
		Sql::rows( "SELECT * FROM `$table` WHERE $where" ); // finds: WordPress.DB.PreparedSQL
		Sql::rows( $this->chosen( $name ) ); // finds: WordPress.DB.PreparedSQL

		$this->where = $wpdb->prepare( 'name = %s', $name );
		Sql::rows( "SELECT * FROM `$table` WHERE {$this->where} AND id = $id" );
		Sql::rows( "SELECT * FROM `$table` WHERE name = " . Sql::text( $name ) . ' AND id = ' . (int) $name );
		Sql::rows( sprintf( 'SELECT * FROM `%s` WHERE name = %s AND id = %d', $table, Sql::bytes( $name ), $name ) );
		Sql::rows( "SELECT * FROM `$table` WHERE id IN (" . implode( ',', array_map( 'intval', $row ) ) . ')' );
		Sql::rows( "SELECT * FROM `$table` WHERE id = {$row['id']}" );
		$this->some( 'state = 1' );
	}

	private function chosen( string $name ): string {
		return "SELECT * FROM x ORDER BY $name";
	}

	private function some( string $where ): void {
		Sql::rows( "SELECT * FROM x WHERE $where" );
	}

	public static /* finds: WordPress.DB.PreparedSQL */ function name_sql( string $name ): string {
		return "name = '$name'";
	}

	public static function words( string $name, string $text ): array {
		return array(
			__( 'No domain' ), // finds: WordPress.WP.I18n
			__( 'Other domain', 'default' ), // finds: WordPress.WP.I18n
			__( $text, 'tenant-crm-sync' ), // finds: WordPress.WP.I18n
			__( "Hello $name", 'tenant-crm-sync' ), // finds: WordPress.WP.I18n

			sprintf( __( 'Hello %s', 'tenant-crm-sync' ), $name ), // finds: WordPress.WP.I18n
			/* translators: 1: name, 2: text */
			sprintf( __( '%s and %s', 'tenant-crm-sync' ), $name, $text ), // finds: WordPress.WP.I18n
			/* translators: 1: name, 2: text */
			sprintf( __( '%1$s and %2$s', 'tenant-crm-sync' ), $name, $text ),
		);
	}

	public static function forbidden( string $code ): void {
		eval( $code ); // finds: Generic.PHP.ForbiddenFunctions
		unserialize( $code ); // finds: Generic.PHP.ForbiddenFunctions
		wp_redirect( $code ); // finds: Generic.PHP.ForbiddenFunctions
		$list = [ 1 ]; // finds: Generic.Arrays.DisallowShortArraySyntax
		if ( $list ) return; // finds: Generic.ControlStructures.InlineControlStructure
	}

	public static function excepted( string $name ): void {
		echo $name; // phpcs:ignore WordPress.Security.EscapeOutput -- said why, for this fixture.
		echo $name; /* finds: WordPress.PHP.Ignore */ // phpcs:ignore WordPress.Security.EscapeOutput
		echo $name; /* finds: WordPress.PHP.Ignore */ // phpcs:ignore -- whatever
	}
}
