// What every browser test needs: the environment, a logged-in Chromium, the sandbox CRM's control interface, screenshots.
// It knows nothing of what is tested.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

function need( ...names ) {
	for ( const name of names ) {
		if ( process.env[ name ] ) {
			return process.env[ name ].replace( /\/$/, '' );
		}
	}
	throw new Error( `Set ${ names.join( ' or ' ) }. tests/stack/stack.sh up writes them into $TCS_STACK/env; export them from there.` );
}

export const env = {
	site: need( 'TCS_URL' ),
	user: need( 'TCS_ADMIN_USER' ),
	password: need( 'TCS_ADMIN_PASSWORD' ),
	control: need( 'TCS_CONTROL_URL', 'TCS_SANDBOX_CONTROL' ),
	crm: need( 'TCS_CRM_URL', 'TCS_SANDBOX_URL' ),
	artefacts: process.env.TCS_ARTEFACTS || '',
};

export const admin = ( page ) => `${ env.site }/wp-admin/${ page }`;
export const overview = admin( 'admin.php?page=tenant-crm-sync' );

/** Ids of this run, so that the tests can run twice against one site. */
export const unique = ( name ) => `${ name }-${ process.pid }-${ Date.now().toString( 36 ) }`;

export async function control( method, path, body ) {
	const answer = await fetch( env.control + path, {
		method,
		headers: { 'Content-Type': 'application/json' },
		body: body === undefined ? undefined : JSON.stringify( body ),
	} );
	const text = await answer.text();
	assert.ok( answer.ok, `sandbox ${ method } ${ path }: ${ answer.status } ${ text.slice( 0, 200 ) }` );
	return text === '' ? null : JSON.parse( text );
}

let browser = null;

export async function launch() {
	browser = await chromium.launch( {
		executablePath: process.env.TCS_CHROMIUM || '/usr/bin/chromium',
		args: [
			'--no-sandbox',
			'--disable-gpu',
			'--disable-quic',
			'--no-first-run',
			'--disable-background-networking',
			'--disable-component-update',
			'--disable-sync',
		],
	} );
}

export async function close() {
	await browser?.close();
}

/** Script errors of every page since the last call: a screen must not have any. */
const scriptErrors = [];
export const takeScriptErrors = () => scriptErrors.splice( 0 );

/** A browser profile of its own with one page. */
export async function visitor( options = {} ) {
	const context = await browser.newContext( { viewport: { width: 1440, height: 900 }, ...options } );
	context.setDefaultTimeout( 20000 );
	const page = await context.newPage();
	page.on( 'pageerror', ( error ) => scriptErrors.push( `${ page.url() }: ${ error.message }` ) );
	return page;
}

export async function login( page, user = env.user, password = env.password ) {
	await page.goto( `${ env.site }/wp-login.php` );
	await page.fill( '#user_login', user );
	await page.fill( '#user_pass', password );
	await Promise.all( [ page.waitForURL( /wp-admin/ ), page.click( '#wp-submit' ) ] );
}

/** Pictures at both sizes, kept for people; and a check that a phone need not scroll sideways. */
export async function picture( page, name ) {
	const wide = page.viewportSize();
	for ( const width of [ 1440, 390 ] ) {
		await page.setViewportSize( { width, height: width === 390 ? 844 : 900 } );
		await page.evaluate( () => window.scrollTo( 0, 0 ) );
		await page.waitForTimeout( 150 );
		if ( env.artefacts ) {
			mkdirSync( env.artefacts, { recursive: true } );
			await page.screenshot( { path: join( env.artefacts, `${ name }-${ width }.png` ), fullPage: true } );
		}
		const over = await page.evaluate( () => document.documentElement.scrollWidth - window.innerWidth );
		assert.ok( over <= 1, `${ name } is ${ over } px too wide at ${ width } px` );
	}
	await page.setViewportSize( wide );
}

/** The row of a tenant on the Overview, by what is printed in it. */
export const row = ( page, name ) => page.locator( '.tcs-overview tbody tr', { hasText: name } );

/** Waits until a tenant's row says that its sync has ended in this state. */
export async function ended( page, name, state, timeout = 60000 ) {
	await row( page, name ).locator( `.tcs-badge[data-state="${ state }"]` ).waitFor( { timeout } );
	return {
		state: await row( page, name ).locator( '.tcs-state' ).innerText(),
		counts: await row( page, name ).locator( '.tcs-counts' ).textContent(),
		error: await row( page, name ).locator( '.tcs-error' ).textContent(),
		records: ( await row( page, name ).locator( '.tcs-records' ).textContent() ).replace( /\D/g, '' ),
	};
}

export const syncNow = ( page, name ) => row( page, name ).locator( '.tcs-start button' ).click();

/** Fills the form of a tenant. Nothing is submitted. */
export async function fillTenant( page, { id, label, key, endpoint = env.crm } ) {
	if ( id !== undefined ) {
		await page.fill( '#tcs-tenant_id', id );
	}
	if ( label !== undefined ) {
		await page.fill( '#tcs-label', label );
	}
	if ( endpoint !== null ) {
		await page.fill( '#tcs-endpoint', endpoint );
	}
	if ( key !== undefined ) {
		await page.fill( '#tcs-api_key', key );
	}
}

/** Presses a button of the tenant form and waits until it is saved. */
export const save = ( page, button = '#submit' ) => Promise.all( [ page.waitForURL( /tenant-crm-did=/ ), page.click( button ) ] );

/** The first step of a new tenant; ends on the tenant's own screen. */
export async function beginTenant( page, tenant ) {
	await page.goto( admin( 'admin.php?page=tenant-crm-sync-tenant' ) );
	await fillTenant( page, tenant );
	await save( page );
}

/** Adds a tenant; ends on the Overview. */
export async function addTenant( page, tenant ) {
	await beginTenant( page, tenant );
	await page.goto( overview );
}

/** A tenant at the sandbox with rows, and the same here. */
export async function makeTenant( page, name, { rows = 300, paging = 'page', label = name } = {} ) {
	const id = unique( name );
	await control( 'POST', '/tenants', { id, key: `key-of-${ id }`, paging } );
	if ( rows ) {
		await control( 'POST', '/seed', { tenant: id, object: 'leads', count: rows, seed: 1, bytes: 400 } );
	}
	await addTenant( page, { id, label: `${ label } ${ id }`, key: `key-of-${ id }` } );
	return { id, label: `${ label } ${ id }`, key: `key-of-${ id }` };
}

const stack = ( args, input ) =>
	execFileSync( fileURLToPath( new URL( '../stack/stack.sh', import.meta.url ) ), args, { input, encoding: 'utf8', stdio: [ 'pipe', 'pipe', 'inherit' ] } );

/** PHP in the site, as another plugin would run it; what it returns. */
export const inSite = ( code ) =>
	JSON.parse( stack( [ 'php', '-r', `require 'wp-load.php'; echo wp_json_encode( ( static function () { ${ code } } )() );` ] ) );

/** PHP for inSite(): what cron does between two looks at a screen, until nothing of this tenant is left to be done. */
export const syncing = ( id ) =>
	`foreach ( array( 'pull', 'push', 'push' ) as $kind ) { TenantCRM\\Worker::run( 10.0, TenantCRM\\Jobs::enqueue( TenantCRM\\Tenants::find( '${ id }' )->key, $kind ) ); }`;

/** PHP for inSite(): the tenant with these settings, and synced; returns its key and its leads' posts by CRM id. */
export const settled = (
	id,
	settings
) => `TenantCRM\\Tenants::save( array( 'id' => '${ id }', 'settings' => json_decode( '${ JSON.stringify( settings ) }', true ) ) ); ${ syncing( id ) }
	$key = TenantCRM\\Tenants::find( '${ id }' )->key;
	return array( 'key' => $key, 'posts' => array_column( TenantCRM\\Sql::rows( 'SELECT crm_id, post_id FROM ' . TenantCRM\\Schema::table( 'records' ) . " WHERE tenant = $key" ), 'post_id', 'crm_id' ) );`;

/** What somebody changes in the CRM. */
export async function crmEdit( tenant, id, fields ) {
	const answer = await fetch( `${ process.env.TCS_SANDBOX_PLAIN_URL }/api/v1/leads/${ id }`, {
		method: 'PATCH',
		headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${ tenant.key }` },
		body: JSON.stringify( fields ),
	} );
	assert.ok( answer.ok, `the CRM: ${ answer.status } ${ await answer.text() }` );
}

const axe = createRequire( import.meta.url ).resolve( 'axe-core' );

/** What axe-core finds that is serious on the open page, a line an element; only in the screen's own part. */
export async function faults( page, ...without ) {
	if ( ! ( await page.evaluate( () => Boolean( window.axe ) ) ) ) {
		await page.addScriptTag( { path: axe } );
	}
	const found = await page.evaluate(
		( exclude ) => window.axe.run( { include: [ '#wpbody-content' ], exclude }, { resultTypes: [ 'violations' ] } ),
		[ '#screen-meta-links', ...without ]
	);
	assert.ok( found.passes.length > 5, 'axe looked at something' );
	return found.violations
		.filter( ( { impact } ) => [ 'serious', 'critical' ].includes( impact ) )
		.flatMap( ( { id, nodes } ) => nodes.map( ( node ) => `${ id }: ${ node.target.join( ' ' ) } ${ node.html.slice( 0, 160 ) }` ) );
}
