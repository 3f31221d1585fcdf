// Refused rows as a person deals with them: what the CRM did not take and what the portal could not store, each with its reason; tried again
// in vain, tried again when the cause is gone, dropped.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { admin, control, faults, inSite, login, makeTenant, picture, settled, syncing, takeScriptErrors, visitor } from './lib.mjs';

const rows = ( page ) => page.locator( '.tcs-refused tbody tr:not(.no-items)' );

test( 'refused rows: reasons, tried again one by one and at once, dropped', async () => {
	const page = await visitor();
	await login( page );
	const tenant = await makeTenant( page, 'picky', { rows: 4 } );
	await control( 'POST', '/rows', {
		tenant: tenant.id,
		object: 'leads',
		raw: [ JSON.stringify( { id: { no: 'id' }, name: 'Nameless', updated_at: '2026-01-01T00:00:30Z' } ) ],
	} );
	const { key, posts } = inSite( settled( tenant.id, { direction: 'both' } ) );
	const email = ( id, value ) => `update_post_meta( ${ posts[ id ] }, 'email', '${ value }' );`;
	inSite( [ 1, 2, 3 ].map( ( id ) => email( id, `no address ${ id }` ) ).join( ' ' ) + syncing( tenant.id ) );

	await page.goto( admin( `admin.php?page=tenant-crm-sync-refused&tenant=${ key }` ) );
	assert.equal( await rows( page ).count(), 4 );
	assert.match( await rows( page ).filter( { hasText: 'A record without an id' } ).innerText(), /From the CRM/ );
	const pushed = rows( page ).filter( { hasText: 'From the portal' } );
	assert.equal( await pushed.count(), 3 );
	assert.match( await pushed.first().innerText(), /e-mail address/ );
	await picture( page, 'refused' );
	assert.deepEqual( await faults( page ), [] );

	await Promise.all( [
		page.waitForURL( /again=1/ ),
		pushed
			.first()
			.getByRole( 'button', { name: /^Try again: / } )
			.click(),
	] );
	assert.match( await page.locator( '.notice-warning' ).innerText(), /refused again/ );

	// Two are corrected: one as a person would, which sends it by itself; one where no hook tells of it.
	inSite(
		`${ email( 1, 'right1@portal.test' ) } ${ syncing( tenant.id ) } global $wpdb; $wpdb->query( "UPDATE $wpdb->postmeta SET meta_value = 'right2@portal.test' WHERE meta_key = 'email' AND post_id = ${ posts[ 2 ] }" );`
	);
	await Promise.all( [ page.waitForURL( /side=portal/ ), page.locator( '.subsubsub a', { hasText: 'From the portal' } ).click() ] );
	assert.equal( await rows( page ).count(), 2 );
	await page.check( '#cb-select-all-1' );
	await page.selectOption( '#bulk-action-selector-top', 'retry' );
	await Promise.all( [ page.waitForURL( /through=1/ ), page.click( '#doaction' ) ] );
	assert.match( await page.locator( '.notice-success' ).innerText(), /1 row got through/ );
	await picture( page, 'refused-again' );
	const crm = await control( 'GET', `/rows?tenant=${ encodeURIComponent( tenant.id ) }&object=leads` );
	assert.deepEqual(
		[ 1, 2 ].map( ( id ) => crm.find( ( row ) => row.id === id || row.id === String( id ) )?.email ),
		[ 'right1@portal.test', 'right2@portal.test' ]
	);

	await page.goto( admin( `admin.php?page=tenant-crm-sync-refused&tenant=${ key }` ) );
	await Promise.all( [
		page.waitForURL( /dropped=1/ ),
		rows( page ).filter( { hasText: 'From the CRM' } ).getByRole( 'button', { name: 'Drop: A record without an id' } ).click(),
	] );
	await page.check( '#cb-select-all-1' );
	await page.selectOption( '#bulk-action-selector-bottom', 'drop' );
	await Promise.all( [ page.waitForURL( /dropped=1/ ), page.click( '#doaction2' ) ] );
	assert.match( await page.locator( '.tcs-refused' ).innerText(), /Nothing is refused|No refused rows that fit/ );
	await page.goto( admin( 'admin.php?page=tenant-crm-sync-refused' ) );
	await picture( page, 'refused-none' );
	assert.deepEqual( takeScriptErrors(), [] );
	await page.context().close();
} );
