// A user whose language is German reads German, also what scripts say while a sync goes on.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ended, inSite, login, makeTenant, overview, picture, row, syncNow, takeScriptErrors, visitor } from './lib.mjs';

test( 'screen and script speak the user’s language', async () => {
	const page = await visitor();
	await login( page );
	const { id } = await makeTenant( page, 'deutsch', { rows: 20 } );
	const locale = ( value ) => inSite( `return update_user_meta( 1, 'locale', '${ value }' );` );
	locale( 'de_DE' );
	try {
		await page.goto( `${ overview }&s=${ id }` );
		assert.equal( await row( page, id ).locator( '.tcs-start button' ).innerText(), 'Jetzt synchronisieren' );
		await syncNow( page, id );
		assert.equal( ( await ended( page, id, 'done' ) ).counts, '20 angelegt' );
		assert.match( await row( page, id ).locator( '.tcs-progress' ).innerText(), /^20 Datensätze · 1 Seite · \d+ s$/ );
		await picture( page, 'overview-german' );
		await row( page, id ).locator( '.row-title' ).click();
		await picture( page, 'tenant-german' );
	} finally {
		locale( '' );
	}
	assert.deepEqual( takeScriptErrors(), [] );
	await page.context().close();
} );
