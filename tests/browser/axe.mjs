// Every screen of the menu, and those behind it, as axe-core sees them: no issue that is serious or critical; the busiest ones at both widths,
// the Overview in a light and in a dark colour scheme. It looks at the screens' own part; bar, menu and footer are WordPress's.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { admin, ended, faults, login, makeTenant, overview, picture, row, syncNow, visitor } from './lib.mjs';

async function look( page, path, seen, widths = [ 1440 ] ) {
	await page.goto( path.startsWith( 'http' ) ? path : admin( path ) );
	for ( const width of widths ) {
		await page.setViewportSize( { width, height: 900 } );
		for ( const fault of await faults( page ) ) {
			seen.add( `${ new URL( page.url() ).search || page.url() }: ${ fault }` );
		}
	}
	await page.setViewportSize( { width: 1440, height: 900 } );
}

async function scheme( page, name ) {
	await page.goto( admin( 'profile.php' ) );
	await page.check( `#admin_color_${ name }` );
	await Promise.all( [ page.waitForURL( /updated=/ ), page.click( '#submit' ) ] );
}

test( 'axe finds nothing serious on any screen', async () => {
	const page = await visitor();
	await login( page );
	const { id } = await makeTenant( page, 'axe', { rows: 3 } );
	await syncNow( page, id );
	await ended( page, id, 'done' );
	const tenant = await row( page, id ).locator( '.row-title' ).getAttribute( 'href' );
	const screens = await page
		.locator( '#adminmenu .toplevel_page_tenant-crm-sync .wp-submenu a' )
		.evaluateAll( ( links ) => links.map( ( link ) => link.href ) );
	assert.ok( screens.length >= 6, `the menu has ${ screens.length } screens` );
	const seen = new Set();
	// Other tests leave many tenants: one of them is enough.
	const found = `${ overview }&s=${ id }`;
	for ( const path of [ found, tenant, screens.find( ( link ) => link.includes( '-leads' ) ) ] ) {
		await look( page, path, seen, [ 1440, 390 ] );
	}
	for ( const path of [
		...screens.filter( ( link ) => link !== overview ),
		`${ tenant }&delete=1`,
		`${ tenant }&disconnect=1`,
		'admin.php?page=tenant-crm-sync-log&view=requests',
		'admin.php?page=tenant-crm-sync-leads&sync=new',
		'edit.php?post_type=crm_lead',
	] ) {
		await look( page, path, seen );
	}
	// The panels of a tenant's screen, with something in them.
	await page.goto( tenant );
	await page.click( '#tcs-samples' );
	( await faults( page ) ).forEach( ( fault ) => seen.add( `samples: ${ fault }` ) );
	await page.click( '#tcs-preview' );
	( await faults( page ) ).forEach( ( fault ) => seen.add( `preview: ${ fault }` ) );
	await page.goto( admin( 'admin.php?page=tenant-crm-sync-leads' ) );
	await look( page, await page.locator( '.tcs-leads .row-title' ).first().getAttribute( 'href' ), seen );
	assert.deepEqual( [ ...seen ], [] );

	for ( const name of [ 'light', 'midnight' ] ) {
		await scheme( page, name );
		await page.goto( found );
		// The schemes' own contrasts of buttons are WordPress's.
		for ( const fault of await faults( page, '.button', '.page-title-action' ) ) {
			seen.add( `${ name }: ${ fault }` );
		}
		await picture( page, `overview-${ name }` );
	}
	await scheme( page, 'fresh' );
	assert.deepEqual( [ ...seen ], [] );
	await page.context().close();
} );
