// A tenant from nothing to its first sync, as the screen leads: wrong key, right key, test, fields with samples, limits, preview, the first
// sync, a lead edited here that goes to the CRM; then disconnected and connected again. Once with scripts, once without.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { beginTenant, control, ended, fillTenant, inSite, login, overview, picture, row, save, syncing, takeScriptErrors, unique, visitor } from './lib.mjs';

const next = ( page ) => page.locator( '.tcs-steps [aria-current=step]' ).innerText();
const requests = async ( id ) => ( await control( 'GET', `/requests?tenant=${ encodeURIComponent( id ) }` ) ).length;

async function crm( name, rows ) {
	const id = unique( name );
	await control( 'POST', '/tenants', { id, key: `right-${ id }`, paging: 'page', max_per_page: 100, custom_fields: [ 'budget' ] } );
	await control( 'POST', '/seed', { tenant: id, object: 'leads', count: rows, seed: 5, bytes: 400 } );
	return id;
}

test( 'the steps lead from nothing to the first sync, which nobody starts before', async () => {
	const page = await visitor();
	await login( page );
	const id = await crm( 'guided', 250 );
	await beginTenant( page, { id, label: `Guided ${ id }`, key: `wrong-${ id }` } );
	assert.match( await page.locator( '.tcs-tested.notice-error' ).innerText(), /refuses the credential: enter it again/ );
	assert.equal( await next( page ), 'Test' );
	assert.ok( ! ( await page.content() ).includes( `wrong-${ id }` ), 'no key on the screen' );
	await picture( page, 'setup-wrong-key' );

	await fillTenant( page, { key: `right-${ id }`, endpoint: null } );
	await save( page, '#tcs-save-test' );
	assert.match( await page.locator( '.tcs-tested.notice-success' ).innerText(), /answers/ );

	await page.click( '#tcs-samples' );
	const fields = page.locator( '.tcs-crm-fields' );
	await fields.locator( 'tr', { hasText: 'score' } ).locator( 'input[type=checkbox]' ).check();
	assert.match( await page.locator( '.tcs-mapping > table' ).innerText(), /@example\.test/, 'samples stand beside what is mapped' );
	await picture( page, 'setup-samples' );
	await page.fill( 'input[name="map_to[]"] >> nth=0', 'crm_notes' );
	await page.fill( 'input[name="map_from[]"] >> nth=0', 'notes' );
	await page.selectOption( '#tcs-direction', 'both' );
	await save( page );
	assert.equal( await page.inputValue( 'input[name="map_to[]"] >> nth=0' ), 'crm_notes' );
	assert.equal( await page.inputValue( 'input[name="map_from[]"] >> nth=1' ), 'score' );
	assert.equal( await next( page ), 'Test', 'what was changed since the test is tested again' );
	await page.click( '#tcs-test' );
	assert.equal( await next( page ), 'Preview' );
	await page.click( '#tcs-preview' );
	assert.equal( await next( page ), 'First sync' );
	assert.match( await page.locator( '#preview' ).innerText(), /Nothing was written/ );
	await picture( page, 'setup-previewed' );

	// Whoever works the queue meanwhile leaves it alone.
	await page.goto( overview );
	assert.match( await row( page, id ).locator( '.column-last' ).innerText(), /after you start the first one/ );
	await row( page, id ).locator( '.row-title' ).click();
	await page.click( '#tcs-first-sync' );
	assert.equal( ( await ended( page, id, 'done' ) ).counts, '250 created' );
	assert.doesNotMatch( await row( page, id ).locator( '.column-last' ).innerText(), /after you start/ );

	// A lead is edited here, and goes to the CRM.
	await row( page, id ).locator( '.column-records a' ).click();
	const list = page.url();
	await page.locator( '.tcs-leads .row-title' ).first().click();
	await page.fill( '#title', `Edited ${ id }` );
	await Promise.all( [ page.waitForURL( /message=/ ), page.click( '#publish' ) ] );
	await page.goto( `${ list }&sync=changed` );
	assert.equal( await page.locator( '.tcs-stands[data-stands=changed]' ).count(), 1 );
	await picture( page, 'leads-changed' );
	inSite( `${ syncing( id ) } return true;` );
	const named = ( await control( 'GET', `/rows?tenant=${ encodeURIComponent( id ) }&object=leads` ) ).filter( ( lead ) => lead.name === `Edited ${ id }` );
	assert.equal( named.length, 1, 'the CRM has the new name' );
	await page.goto( `${ list }&s=Edited` );
	assert.equal( await page.locator( '.tcs-stands[data-stands=linked]' ).count(), 1 );
	await page.goto( overview );
	await row( page, id ).locator( '.row-title' ).click();
	assert.equal( await page.locator( '.tcs-steps' ).count(), 0, 'the steps are done' );
	await page.click( 'a:has-text("Disconnect…")' );
	assert.match( await page.locator( '.wrap' ).innerText(), /Revoke the API key at the CRM \(REST API/ );
	await picture( page, 'tenant-disconnect' );
	await page.click( '#tcs-disconnect' );
	assert.match( await page.locator( '.notice-success' ).innerText(), /Disconnected/ );
	assert.equal( await row( page, id ).locator( '.tcs-health' ).innerText(), 'Not set up' );
	assert.equal( await row( page, id ).locator( '.tcs-records' ).innerText(), '250' );
	const before = await requests( id );
	await row( page, id ).locator( '.row-title' ).click();
	await fillTenant( page, { key: `right-${ id }`, endpoint: null } );
	await save( page );
	assert.equal( await requests( id ), before, 'nothing is asked of the CRM by saving' );
	await page.goto( overview );
	assert.equal( await row( page, id ).locator( '.tcs-health' ).innerText(), 'Healthy' );
	assert.deepEqual( takeScriptErrors(), [] );
	await page.context().close();
} );

test( 'all of it works without scripts', async () => {
	const page = await visitor( { javaScriptEnabled: false } );
	await login( page );
	const id = await crm( 'unscripted', 20 );
	await beginTenant( page, { id, key: `right-${ id }` } );
	assert.match( await page.locator( '.tcs-tested.notice-success' ).innerText(), /answers/ );
	await page.click( '#tcs-samples' );
	await page.locator( '.tcs-crm-fields tr', { hasText: 'score' } ).locator( 'input[type=checkbox]' ).check();
	await save( page );
	assert.equal( await page.inputValue( 'input[name="map_to[]"] >> nth=0' ), 'score' );
	await page.click( '#tcs-preview' );
	assert.match( await page.locator( '#preview' ).innerText(), /Nothing was written/ );
	await page.click( '#tcs-first-sync' );
	assert.match( await page.locator( '.notice-success' ).innerText(), /Queued/ );
	await page.context().close();
} );
