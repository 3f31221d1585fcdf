<?php
/**
 * The sections of a tenant's screen: what is printed of its form, and of what is below it. What was typed is in TenantForm; who decides which
 * section is shown is TenantPage.
 */

namespace TenantCRM\Admin;

use TenantCRM\Tenant;

final class TenantSections {

	public static function heading( string $anchor, string $title, string $lead = '' ): void {
		printf( '<h2 class="title" id="%s">%s</h2>', esc_attr( $anchor ), esc_html( $title ) );
		if ( '' !== $lead ) {
			printf( '<p>%s</p>', esc_html( $lead ) );
		}
	}

	public static function connection( TenantForm $form ): void {
		self::heading( 'connection', __( 'Connection', 'tenant-crm-sync' ) );
		echo '<table class="form-table" role="presentation">';
		self::names( $form );
		if ( $form->is_foreign() ) {
			Field::text( __( 'Address of the CRM', 'tenant-crm-sync' ), $form->tenant->endpoint, '', true );
		} else {
			ConnectionRows::render( $form->connection );
		}
		echo '</table>';
	}

	/** Direction, objects, fields, storing. */
	public static function data( TenantForm $form, ?Samples $samples ): void {
		$choices = TenantForm::two_way();
		self::heading( 'data', __( 'What is synced', 'tenant-crm-sync' ) );
		echo '<table class="form-table" role="presentation">';
		Field::select( 'direction', __( 'Direction', 'tenant-crm-sync' ), $choices['direction'], $form->values['direction'], __( 'What the portal changes, and what its forms bring, only goes to the CRM where you choose that here.', 'tenant-crm-sync' ), $form->errors['direction'] ?? '' );
		Field::select( 'policy', __( 'Where both changed a field', 'tenant-crm-sync' ), $choices['policy'], $form->values['policy'], __( 'Only for both ways. Where nobody can tell, and where a person decides, it waits under Conflicts and holds up nothing else.', 'tenant-crm-sync' ), '' );
		Field::select( 'portal_deletes', __( 'A lead goes to the trash', 'tenant-crm-sync' ), $choices['portal_deletes'], $form->values['portal_deletes'], __( 'Not where leads only come from the CRM. Many at once wait for a person in any case.', 'tenant-crm-sync' ), '' );
		self::objects( $form );
		if ( ! $form->is_foreign() ) {
			MappingRows::render( $form->connection, $form->tenant, $samples );
		}
		Field::radios(
			'storage',
			__( 'Storing leads', 'tenant-crm-sync' ),
			array(
				'set'   => array( __( 'In sets (fast)', 'tenant-crm-sync' ), __( 'Hundreds of leads in one transaction. Other plugins hear of a batch by one action.', 'tenant-crm-sync' ) ),
				'hooks' => array( __( 'One by one through wp_insert_post()', 'tenant-crm-sync' ), __( 'Much slower. Only for sites whose plugins must see save_post and its kin for every lead.', 'tenant-crm-sync' ) ),
			),
			$form->values['hooks'] ? 'hooks' : 'set'
		);
		echo '</table>';
	}

	/** Schedule, paging, limits. */
	public static function schedule( TenantForm $form ): void {
		self::heading( 'schedule', __( 'When, and how fast', 'tenant-crm-sync' ) );
		echo '<table class="form-table" role="presentation">';
		Field::select( 'interval', __( 'Sync', 'tenant-crm-sync' ), TenantForm::intervals( $form->values['interval'] ), (string) $form->values['interval'], __( 'By WP-Cron or the command line; “Sync now” works at any time.', 'tenant-crm-sync' ), $form->errors['interval'] ?? '' );
		if ( ! $form->is_foreign() ) {
			Field::checkbox(
				'stable_order',
				__( 'Paging', 'tenant-crm-sync' ),
				__( 'The CRM’s order and totals stay the same while pages are read', 'tenant-crm-sync' ),
				$form->values['stable_order'],
				__( 'If you are not sure, leave this off: pages are then read one after another and no record can be missed.', 'tenant-crm-sync' )
			);
			Field::input(
				'parallel',
				__( 'Pages side by side', 'tenant-crm-sync' ),
				array( 'type' => 'number', 'class' => 'small-text', 'value' => $form->values['parallel'], 'min' => 1, 'max' => TenantForm::MAX_PARALLEL ), // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
				/* translators: %s: number of pages */
				sprintf( __( 'More than 1 needs the box above. This host allows at most %s.', 'tenant-crm-sync' ), number_format_i18n( max( 1, min( TenantForm::MAX_PARALLEL, (int) ini_get( 'tenant_crm_sync.max_parallel' ) ) ) ) ),
				$form->errors['parallel'] ?? ''
			);
			$form->limits->render( $form->connection->about() );
		}
		echo '</table>';
	}

	/** The last step: nothing is synced by itself before somebody presses this. */
	public static function start( Tenant $tenant ): void {
		self::heading( 'start', __( 'First sync', 'tenant-crm-sync' ), __( 'Until you start it, nothing of this tenant is synced by itself. After that the schedule above counts.', 'tenant-crm-sync' ) );
		if ( 'unset' === Words::obstacle( $tenant ) ) {
			/* translators: %s: list of fields, for example "endpoint, API key" */
			printf( '<p>%s</p>', esc_html( sprintf( __( 'Its connection lacks: %s.', 'tenant-crm-sync' ), implode( ', ', $tenant->missing() ) ) ) );
			return;
		}
		self::form( 'sync', $tenant, __( 'Start the first sync', 'tenant-crm-sync' ), 'button button-primary', 'tcs-first-sync' );
	}

	/** Pause, disconnect, delete: each with what it does. */
	public static function leave( Tenant $tenant ): void {
		self::heading( 'leave', __( 'Pause, disconnect, delete', 'tenant-crm-sync' ) );
		echo '<table class="form-table" role="presentation"><tr><td>';
		self::form( $tenant->paused ? 'resume' : 'pause', $tenant, $tenant->paused ? __( 'Resume', 'tenant-crm-sync' ) : __( 'Pause', 'tenant-crm-sync' ), 'button', 'tcs-pause' );
		printf( '</td><td>%s</td></tr>', esc_html__( 'Paused: nothing is asked of the CRM, and everything stays as it is.', 'tenant-crm-sync' ) );
		if ( 'table' === $tenant->source ) {
			foreach ( array(
				'disconnect' => array( __( 'Disconnect…', 'tenant-crm-sync' ), __( 'Forgets the credentials; leads and settings stay, so that new credentials go on where it was.', 'tenant-crm-sync' ) ),
				'delete'     => array( __( 'Delete…', 'tenant-crm-sync' ), __( 'Forgets the tenant, its ledger and its data key. The lead posts stay.', 'tenant-crm-sync' ) ),
			) as $what => list( $name, $words ) ) {
				printf(
					'<tr><td><a class="button%1$s" href="%2$s">%3$s</a></td><td>%4$s</td></tr>',
					'delete' === $what ? ' button-link-delete' : '',
					esc_url( Screens::url( Screens::TENANT, array( 'tenant' => $tenant->key, $what => 1 ) ) ), // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
					esc_html( $name ),
					esc_html( $words )
				);
			}
		}
		echo '</table>';
	}

	private static function form( string $action, Tenant $tenant, string $text, string $css, string $id ): void {
		printf( '<form method="post" action="%s">', esc_url( admin_url( 'admin-post.php' ) ) );
		echo Actions::fields( $action, $tenant->key ); // phpcs:ignore WordPress.Security.EscapeOutput -- escaped there.
		printf( '<button class="%s" id="%s">%s</button></form>', esc_attr( $css ), esc_attr( $id ), esc_html( $text ) );
	}

	private static function names( TenantForm $form ): void {
		if ( $form->tenant ) {
			Field::text( __( 'Id', 'tenant-crm-sync' ), $form->values['id'], __( 'The id cannot be changed: the tenant’s data key and records belong to it.', 'tenant-crm-sync' ), true );
			if ( $form->is_foreign() ) {
				Field::text( __( 'Settings from', 'tenant-crm-sync' ), Words::source( $form->tenant->source ), __( 'Address and key are given by the site’s code and are changed there.', 'tenant-crm-sync' ), false );
			}
		} else {
			Field::input(
				'tenant_id',
				__( 'Id', 'tenant-crm-sync' ),
				array( 'value' => $form->values['id'], 'required' => true, 'maxlength' => TenantForm::MAX_ID, 'autocomplete' => 'off', 'spellcheck' => 'false' ), // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
				__( 'What your portal calls this tenant, for example “acme” or a number. “Acme” and “acme” are two tenants.', 'tenant-crm-sync' ),
				$form->errors['tenant_id'] ?? ''
			);
		}
		Field::input(
			'label',
			__( 'Name', 'tenant-crm-sync' ),
			array( 'value' => $form->values['label'], 'maxlength' => 190, 'autocomplete' => 'off' ), // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
			__( 'For people. If you leave it empty, the id is shown.', 'tenant-crm-sync' ),
			$form->errors['label'] ?? ''
		);
	}

	private static function objects( TenantForm $form ): void {
		$others = array_diff( array_keys( $form->connection->about()['objects'] ), array( 'leads', '*' ) );
		$words  = __( 'This version stores leads.', 'tenant-crm-sync' );
		if ( $others ) {
			/* translators: %s: list of objects, for example "contacts, deals" */
			$words .= ' ' . sprintf( __( 'What else this CRM has (%s) can be read by the site’s code.', 'tenant-crm-sync' ), implode( ', ', $others ) );
		}
		Field::text( __( 'Objects', 'tenant-crm-sync' ), __( 'Leads', 'tenant-crm-sync' ), $words, false );
	}
}
