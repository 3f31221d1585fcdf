// Syncs that do not go straight to the end: cancelled by keyboard, watched from two screens, many at once, without JavaScript, and found
// open when the screen is loaded.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { control, ended, login, makeTenant, overview, picture, row, syncNow, takeScriptErrors, visitor } from './lib.mjs';

const slow = ( id, latency ) => control( 'POST', '/behaviour', { tenant: id, latency_ms: latency } );
const requests = async ( id ) => ( await control( 'GET', `/requests?tenant=${ encodeURIComponent( id ) }` ) ).length;
// The page's scripts may still be on their way.
const rest = async ( page, method, path, data ) => {
	await page.waitForFunction( () => window.wp?.apiFetch );
	return page.evaluate(
		( [ how, where, what ] ) => window.wp.apiFetch( { method: how, path: `/tenant-crm-sync/v1${ where }`, data: what } ).catch( ( error ) => error ),
		[ method, path, data ]
	);
};

test( 'a sync is cancelled by keyboard, stops asking the CRM, and the next one goes to the end', async () => {
	const page = await visitor();
	await login( page );
	const { id } = await makeTenant( page, 'cancelled', { rows: 2000 } );
	await slow( id, 400 );
	await row( page, id ).locator( '.tcs-start button' ).focus();
	await page.keyboard.press( 'Enter' );
	await row( page, id )
		.locator( '.tcs-progress', { hasText: /^[1-9][\d,]* records/ } )
		.waitFor();
	assert.ok(
		await row( page, id )
			.locator( '.tcs-stop button' )
			.evaluate( ( button ) => button === document.activeElement ),
		'the focus went to Cancel'
	);
	await page.keyboard.press( 'Enter' );
	assert.match( ( await ended( page, id, 'cancelled' ) ).state, /^Cancelled/ );
	assert.ok(
		await row( page, id )
			.locator( '.tcs-start button' )
			.evaluate( ( button ) => button === document.activeElement ),
		'the focus came back'
	);
	await page.waitForTimeout( 3000 );
	const before = await requests( id );
	await page.waitForTimeout( 2500 );
	assert.equal( await requests( id ), before, 'nothing is asked after the cancel' );
	assert.match( await row( page, id ).locator( '.tcs-state' ).innerText(), /^Cancelled/, 'a late slice did not bring it back' );
	await picture( page, 'overview-cancelled' );

	await slow( id, null );
	await syncNow( page, id );
	assert.equal( ( await ended( page, id, 'done' ) ).records, '2000' );
	await page.context().close();
} );

test( 'two screens on one sync do not double its work', async () => {
	const one = await visitor();
	await login( one );
	const { id } = await makeTenant( one, 'twice', { rows: 1500 } );
	await slow( id, 200 );
	const two = await one.context().newPage();
	await two.goto( overview );
	await Promise.all( [ syncNow( one, id ), syncNow( two, id ) ] );
	const [ first, second ] = await Promise.all( [ ended( one, id, 'done' ), ended( two, id, 'done' ) ] );
	assert.equal( first.counts, '1,500 created' );
	assert.equal( second.counts, '1,500 created', 'both screens show one and the same run' );
	await one.context().close();
} );

test( '"Sync all" takes turns between tenants and says how far it is', async () => {
	const page = await visitor();
	await login( page );
	const tenants = [];
	for ( const name of [ 'north', 'south' ] ) {
		tenants.push( await makeTenant( page, name, { rows: 1000, paging: name === 'north' ? 'cursor' : 'link' } ) );
	}
	await Promise.all( tenants.map( ( { id } ) => slow( id, 400 ) ) );
	await page.click( '.tcs-all button' );
	// Both have rows before either is done: nobody waits for the other's end.
	for ( const { id } of tenants ) {
		await row( page, id )
			.locator( '.tcs-progress', { hasText: /^[1-9][\d,]* records/ } )
			.waitFor();
	}
	assert.equal( await row( page, tenants[ 0 ].id ).locator( '.tcs-badge[data-state="done"]' ).count(), 0 );
	assert.match( await page.locator( '.tcs-summary' ).innerText(), /\d+ of \d+ tenants finished, [\d,]+ records read/ );
	// However slow a picture is, they are still at it then.
	await Promise.all( tenants.map( ( { id } ) => slow( id, 2500 ) ) );
	await picture( page, 'overview-sync-all' );
	await page.click( '.tcs-stop-all' );
	for ( const { id } of tenants ) {
		assert.match( ( await ended( page, id, 'cancelled' ) ).state, /^Cancelled/ );
	}
	await Promise.all( tenants.map( ( { id } ) => slow( id, null ) ) );
	await page.click( '.tcs-all button' );
	for ( const { id } of tenants ) {
		assert.equal( ( await ended( page, id, 'done' ) ).records, '1000' );
	}
	await page.context().close();
} );

test( 'without JavaScript the button queues; a screen with it finds the sync and finishes it', async () => {
	const page = await visitor();
	await login( page );
	const { id } = await makeTenant( page, 'plain', { rows: 250 } );
	const plain = await visitor( { javaScriptEnabled: false } );
	await login( plain );
	await plain.goto( overview );
	await row( plain, id ).locator( '.tcs-start button' ).click();
	assert.match( await plain.locator( '.notice-success' ).innerText(), /Queued/ );
	assert.match( await row( plain, id ).locator( '.tcs-state' ).innerText(), /Queued|Syncing|Synced/ );
	await page.reload();
	assert.equal( ( await ended( page, id, 'done' ) ).counts, '250 created' );

	await plain.goto( overview );
	await row( plain, id ).locator( '.tcs-start button' ).click();
	await row( plain, id ).locator( '.tcs-stop button' ).click();
	assert.match( await row( plain, id ).locator( '.tcs-state' ).innerText(), /^Cancelled/ );
	await plain.context().close();
	await page.context().close();
} );

test( 'a paused tenant is not synced, a resumed one is', async () => {
	const page = await visitor();
	await login( page );
	const { id } = await makeTenant( page, 'paused', { rows: 20 } );
	await row( page, id ).hover();
	await row( page, id ).locator( '.row-actions .pause button' ).click();
	assert.match( await page.locator( '.notice-success' ).innerText(), /Tenant paused/ );
	assert.equal( await row( page, id ).locator( '.tcs-start' ).count(), 0 );
	assert.equal( ( await rest( page, 'POST', '/sync', { tenant: id } ) ).code, 'tenant_crm_paused' );
	await row( page, id ).hover();
	await row( page, id ).locator( '.row-actions .pause button' ).click();
	await syncNow( page, id );
	assert.equal( ( await ended( page, id, 'done' ) ).records, '20' );
	await page.context().close();
} );

test( 'an outage of the CRM waits with its reason, and a click tries again', async () => {
	const page = await visitor();
	await login( page );
	const { id } = await makeTenant( page, 'outage', { rows: 50 } );
	await control( 'POST', '/faults', { tenant: id, faults: [ { times: 50, kind: 'status', status: 503 } ] } );
	await syncNow( page, id );
	await row( page, id ).locator( '.tcs-badge[data-state="waiting"]' ).waitFor( { timeout: 40000 } );
	assert.match( await row( page, id ).locator( '.tcs-state' ).innerText(), /^Waiting/ );
	assert.match( await row( page, id ).locator( '.tcs-error' ).innerText(), /503/ );
	await picture( page, 'overview-waiting' );
	await control( 'POST', '/faults', { tenant: id, faults: [] } );
	await syncNow( page, id );
	assert.equal( ( await ended( page, id, 'done' ) ).records, '50' );
	assert.deepEqual( takeScriptErrors(), [] );
	await page.context().close();
} );
