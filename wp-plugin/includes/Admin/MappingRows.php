<?php
/**
 * The rows of the tenant form about the mapping: which field of the CRM becomes which one here, with samples beside them where somebody asked
 * for them. What was typed is read by Mapping. Everything is printed escaped: samples are whatever strangers typed into forms.
 */

namespace TenantCRM\Admin;

use TenantCRM\Fields;
use TenantCRM\Tenant;

final class MappingRows {

	/** Name of the button that asks the CRM for samples. */
	const SAMPLES = 'samples';

	public static function render( ConnectionForm $form, ?Tenant $tenant, ?Samples $samples ): void {
		$error = $form->errors['mapping'] ?? '';
		printf( '<tr><th scope="row">%s</th><td class="tcs-mapping">', esc_html__( 'Fields', 'tenant-crm-sync' ) );
		if ( '' !== $error ) {
			printf( '<p class="tcs-field-error" id="tcs-mapping-error">%s</p>', esc_html( $error ) );
		}
		self::table( $form, $tenant, $samples );
		if ( $tenant && ! $form->is_choice ) {
			printf( '<p><button class="button" name="%s" value="1" id="tcs-samples" formnovalidate>%s</button> <span class="description">%s</span></p>', esc_attr( self::SAMPLES ), esc_html__( 'Show samples from the CRM', 'tenant-crm-sync' ), esc_html__( 'Reads a few leads with the connection as it is saved. They are shown once and not stored.', 'tenant-crm-sync' ) );
		}
		if ( $samples ) {
			self::samples( $samples, $form );
		}
		self::as_json( $form, '' !== $error );
		echo '</td></tr>';
	}

	private static function table( ConnectionForm $form, ?Tenant $tenant, ?Samples $samples ): void {
		printf(
			'<table class="widefat striped"><thead><tr><th scope="col">%s</th><th scope="col">%s</th>%s</tr></thead><tbody>',
			esc_html__( 'Here', 'tenant-crm-sync' ),
			esc_html__( 'Field of the CRM', 'tenant-crm-sync' ),
			$samples ? '<th scope="col">' . esc_html__( 'Samples', 'tenant-crm-sync' ) . '</th>' : ''
		);
		$own = Mapping::rows( $form->mapping );
		foreach ( $tenant ? array_diff_key( Fields::of( $tenant, 'leads' )->map(), $own ) : array() as $field => $target ) {
			printf(
				'<tr><td>%s</td><td>%s</td>%s</tr>',
				'title' === $target ? esc_html__( 'name of the lead', 'tenant-crm-sync' ) : '<code>' . esc_html( $target ) . '</code>',
				/* translators: %s: name of a field, for example "email" */
				esc_html( sprintf( __( '%s, as the connector says', 'tenant-crm-sync' ), $field ) ),
				$samples ? '<td>' . esc_html( implode( ' · ', $samples->of( (string) $field ) ) ) . '</td>' : ''
			);
		}
		$nth = 0;
		foreach ( $own as $to => $from ) {
			self::row( ++$nth, (string) $to, $from, $samples ? $samples->fields()[ $from ]['samples'] ?? $samples->of( (string) $to ) : null );
		}
		for ( $empty = 0; $empty < Mapping::EMPTY_ROWS; $empty++ ) {
			self::row( ++$nth, '', '', $samples ? array() : null );
		}
		echo '</tbody></table>';
		if ( $samples && $samples->fields() ) {
			echo '<datalist id="tcs-crm-fields">';
			foreach ( $samples->fields() as $path => $field ) {
				printf( '<option value="%s">%s</option>', esc_attr( (string) $path ), esc_html( $field['label'] ) );
			}
			echo '</datalist>';
		}
		printf( '<p class="description">%s</p>', esc_html__( 'Each own row becomes meta of that name. Take a row away by emptying both of its fields. What you map here is read again from the beginning with the next sync.', 'tenant-crm-sync' ) );
	}

	/** @param list<string>|null $samples Null where none were asked for: there is no column for them then. */
	private static function row( int $nth, string $to, string $from, ?array $samples ): void {
		printf(
			'<tr><td><input name="map_to[]" value="%1$s" aria-label="%2$s" maxlength="64" spellcheck="false" autocomplete="off"></td><td><input name="map_from[]" value="%3$s" aria-label="%4$s" list="tcs-crm-fields" spellcheck="false" autocomplete="off"></td>%5$s</tr>',
			esc_attr( $to ),
			/* translators: %d: number of a row */
			esc_attr( sprintf( __( 'Name here, row %d', 'tenant-crm-sync' ), $nth ) ),
			esc_attr( $from ),
			/* translators: %d: number of a row */
			esc_attr( sprintf( __( 'Field of the CRM, row %d', 'tenant-crm-sync' ), $nth ) ),
			null === $samples ? '' : '<td>' . esc_html( implode( ' · ', $samples ) ) . '</td>'
		);
	}

	private static function samples( Samples $samples, ConnectionForm $form ): void {
		if ( '' !== $samples->trouble ) {
			printf( '<div class="notice notice-error inline"><p>%s</p></div>', esc_html( $samples->trouble ) );
			return;
		}
		$used = array_flip( Mapping::rows( $form->mapping ) );
		printf( '<div class="tcs-crm-fields" role="region" tabindex="0" aria-label="%1$s"><table class="widefat striped"><caption>%1$s</caption><thead><tr><th scope="col">%2$s</th><th scope="col">%3$s</th><th scope="col">%4$s</th></tr></thead><tbody>', esc_attr__( 'What the CRM has of a lead', 'tenant-crm-sync' ), esc_html__( 'Add', 'tenant-crm-sync' ), esc_html__( 'Field of the CRM', 'tenant-crm-sync' ), esc_html__( 'Samples', 'tenant-crm-sync' ) );
		foreach ( $samples->fields() as $path => $field ) {
			$path = (string) $path;
			printf(
				'<tr><td>%1$s</td><td><code>%2$s</code><span class="tcs-muted">%3$s</span></td><td>%4$s</td></tr>',
				isset( $used[ $path ] ) ? esc_html__( 'in use', 'tenant-crm-sync' ) : sprintf( '<input type="checkbox" name="map_add[]" value="%1$s" aria-label="%2$s">', esc_attr( $path ), /* translators: %s: name of a field */ esc_attr( sprintf( __( 'Add %s', 'tenant-crm-sync' ), $path ) ) ),
				esc_html( $path ),
				esc_html( trim( $field['label'] . ' ' . ( '' === $field['type'] ? '' : "({$field['type']})" ) ) ),
				esc_html( implode( ' · ', $field['samples'] ) )
			);
		}
		printf( '</tbody></table></div><p class="description">%s</p>', esc_html__( 'Tick what you want to have here, then save.', 'tenant-crm-sync' ) );
	}

	/** For those who know the grammar, and for other objects than leads. */
	private static function as_json( ConnectionForm $form, bool $is_open ): void {
		printf(
			'<details%1$s><summary>%2$s</summary><input type="hidden" name="mapping_was" value="%3$s"><label class="screen-reader-text" for="tcs-mapping">%2$s</label><textarea name="mapping" id="tcs-mapping" class="large-text code" rows="4" spellcheck="false" placeholder="%4$s" aria-describedby="tcs-mapping-help"%5$s>%6$s</textarea><p class="description" id="tcs-mapping-help">%7$s</p></details>',
			$is_open ? ' open' : '',
			esc_html__( 'The same as JSON', 'tenant-crm-sync' ),
			// A text that has no rows is not to be taken for them.
			esc_attr( '' === $form->mapping || null !== json_decode( $form->mapping ) ? $form->mapping : '-' ),
			esc_attr( '{"leads": {"budget": "Budget__c"}}' ),
			$is_open ? ' aria-invalid="true"' : '',
			esc_textarea( $form->mapping ),
			esc_html__( 'Object types, and for each the fields that differ from what the connector does. If you change this text, it counts instead of the rows.', 'tenant-crm-sync' )
		);
	}
}
