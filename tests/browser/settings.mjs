// The screen "Health and settings": what is found is said with its remedy, and options are saved by WordPress's own way.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { admin, login, picture, takeScriptErrors, visitor } from './lib.mjs';

test( 'health is told, options are saved, and what is no address is left out and named', async () => {
	const page = await visitor();
	await login( page );
	await page.goto( admin( 'admin.php?page=tenant-crm-sync-settings' ) );
	assert.match( await page.locator( '.tcs-checks' ).innerText(), /The PHP extension for CRM Sync is loaded/ );
	await page.fill( '#tenant_crm_sync_keep_events', '45' );
	await page.fill( '#tenant_crm_sync_alerts', 'ops@example.com, nonsense' );
	await Promise.all( [ page.waitForURL( /settings-updated/ ), page.click( '#submit' ) ] );
	assert.match(
		await page
			.locator( '.notice' )
			.allInnerTexts()
			.then( ( texts ) => texts.join( ' ' ) ),
		/no e-mail address.*left out/s
	);
	assert.equal( await page.inputValue( '#tenant_crm_sync_keep_events' ), '45' );
	assert.equal( await page.inputValue( '#tenant_crm_sync_alerts' ), 'ops@example.com' );
	await page.click( '.tcs-settings summary' );
	assert.match( await page.locator( '.tcs-ini' ).innerText(), /tenant_crm_sync\.max_parallel/ );
	await picture( page, 'settings' );
	await page.fill( '#tenant_crm_sync_keep_events', '90' );
	await page.fill( '#tenant_crm_sync_alerts', '' );
	await Promise.all( [ page.waitForURL( /settings-updated/ ), page.click( '#submit' ) ] );
	assert.match( await page.locator( '.notice-success' ).innerText(), /Settings saved/ );
	assert.deepEqual( takeScriptErrors(), [] );
	await page.context().close();
} );
