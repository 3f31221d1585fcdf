/**
 * The tenant form: another connector or way of authorisation shows its fields at once. Without this script a button does the same.
 */
( function () {
	'use strict';
	const button = document.getElementById( 'tcs-choose' );
	if ( ! button ) {
		return;
	}
	for ( const id of [ 'tcs-connector', 'tcs-auth' ] ) {
		const select = document.getElementById( id );
		if ( select ) {
			select.addEventListener( 'change', () => button.click() );
		}
	}
	button.closest( 'tr' ).hidden = true;
} )();
