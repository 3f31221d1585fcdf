// Conflicts as a person settles them: one by its button, the rest by the menu, undone from the notice and later; and what has become of
// it in the CRM and in the portal each time.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { admin, control, crmEdit, faults, inSite, login, makeTenant, picture, settled, syncing, takeScriptErrors, visitor } from './lib.mjs';

const LEADS = [ 1, 2, 3, 4 ];
const rows = ( page ) => page.locator( '.tcs-conflicts tbody tr:not(.no-items)' );
const screen = ( args = '' ) => admin( `admin.php?page=tenant-crm-sync-conflicts${ args }` );

/** Names by lead in the CRM as it is now. */
async function inCrm( tenant ) {
	const rows = await control( 'GET', `/rows?tenant=${ encodeURIComponent( tenant.id ) }&object=leads` );
	return LEADS.map( ( id ) => rows.find( ( row ) => String( row.id ) === String( id ) ).name );
}

/** The same of both sides, once all is quiet. */
async function both( tenant, posts ) {
	const portal = inSite(
		`${ syncing( tenant.id ) } wp_cache_flush(); return array_map( 'get_the_title', array( ${ LEADS.map( ( id ) => posts[ id ] ).join( ',' ) } ) );`
	);
	return { crm: await inCrm( tenant ), portal };
}

test( 'conflicts: one by its button, the rest at once, undone; the values reach CRM and portal', async () => {
	const page = await visitor();
	await login( page );
	const tenant = await makeTenant( page, 'both', { rows: 4 } );
	const { key, posts } = inSite( settled( tenant.id, { direction: 'both', policy: 'ask' } ) );

	// A person edits one lead in the portal, another plugin the others; then all change in the CRM.
	await page.goto( admin( `post.php?post=${ posts[ 1 ] }&action=edit` ) );
	await page.fill( '#title', 'Portal 1' );
	await Promise.all( [ page.waitForURL( /message=/ ), page.click( '#publish' ) ] );
	inSite(
		LEADS.slice( 1 )
			.map( ( id ) => `wp_update_post( array( 'ID' => ${ posts[ id ] }, 'post_title' => 'Portal ${ id }' ) );` )
			.join( ' ' )
	);
	for ( const id of LEADS ) {
		await crmEdit( tenant, id, { name: `CRM ${ id }` } );
	}
	await both( tenant, posts );

	await page.goto( screen( `&tenant=${ key }` ) );
	assert.equal( await rows( page ).count(), 4 );
	const first = rows( page ).filter( { hasText: 'Portal 1' } );
	assert.match( await first.innerText(), /CRM 1[\s\S]*Portal 1[\s\S]*Portal: admin/, 'both values, and who' );
	await picture( page, 'conflicts' );
	assert.deepEqual( await faults( page ), [] );

	await first.getByRole( 'button', { name: /^Take the portal’s/ } ).focus();
	await Promise.all( [ page.waitForURL( /done=1/ ), page.keyboard.press( 'Enter' ) ] );
	assert.match( await page.locator( '.notice-success' ).innerText(), /1 conflict was decided/ );
	assert.equal( await rows( page ).count(), 3 );
	// The click itself brings it there, though nothing wakes a worker.
	for ( let tries = 0; ( await inCrm( tenant ) )[ 0 ] !== 'Portal 1'; tries++ ) {
		assert.ok( tries < 40, 'the value did not reach the CRM' );
		await page.waitForTimeout( 250 );
	}
	let now = await both( tenant, posts );
	assert.deepEqual(
		now,
		{ crm: [ 'Portal 1', 'CRM 2', 'CRM 3', 'CRM 4' ], portal: [ 'Portal 1', 'Portal 2', 'Portal 3', 'Portal 4' ] },
		'the others wait as they were'
	);

	await page.check( '#cb-select-all-1' );
	await page.selectOption( '#bulk-action-selector-top', 'crm' );
	await Promise.all( [ page.waitForURL( /done=3/ ), page.click( '#doaction' ) ] );
	assert.match( await page.locator( '.tcs-conflicts' ).innerText(), /Nothing waits for a decision/ );
	await picture( page, 'conflicts-decided' );
	now = await both( tenant, posts );
	assert.deepEqual( now, { crm: [ 'Portal 1', 'CRM 2', 'CRM 3', 'CRM 4' ], portal: [ 'Portal 1', 'CRM 2', 'CRM 3', 'CRM 4' ] } );

	await Promise.all( [ page.waitForURL( /did=undone/ ), page.getByRole( 'button', { name: 'Undo' } ).click() ] );
	assert.match( await page.locator( '.notice-success' ).innerText(), /3 decisions were undone/ );
	now = await both( tenant, posts );
	assert.deepEqual( now.crm, [ 'Portal 1', 'Portal 2', 'Portal 3', 'Portal 4' ] );
	assert.deepEqual( now.portal, now.crm );

	await Promise.all( [ page.waitForURL( /state=taken/ ), page.locator( '.subsubsub a', { hasText: 'Decided' } ).click() ] );
	await picture( page, 'conflicts-undo' );
	assert.deepEqual( await faults( page ), [] );
	await Promise.all( [
		page.waitForURL( /did=undone/ ),
		rows( page )
			.getByRole( 'button', { name: /^Undo: / } )
			.click(),
	] );
	now = await both( tenant, posts );
	assert.deepEqual( [ now.crm[ 0 ], now.portal[ 0 ] ], [ 'CRM 1', 'CRM 1' ], 'undone later' );

	await page.goto( screen() );
	await page.click( '#contextual-help-link' );
	await page.locator( '#tab-panel-tenant-crm-conflicts', { hasText: 'holds up nothing but its own field' } ).waitFor();
	assert.deepEqual( takeScriptErrors(), [] );
	await page.context().close();
} );
