/**
 * The panel "Webhooks" of a tenant: copies the address that is shown only once, and asks before one is ended. Without it both work all the same.
 */
( function () {
	'use strict';
	for ( const button of document.querySelectorAll( '[data-question]' ) ) {
		button.addEventListener( 'click', ( event ) => window.confirm( button.dataset.question ) || event.preventDefault() );
	}
	const copy = document.getElementById( 'tcs-webhook-copy' );
	if ( copy ) {
		const address = document.getElementById( 'tcs-webhook-address' );
		copy.addEventListener( 'click', () => {
			address.select();
			// A page that is not HTTPS has no clipboard but the old one.
			const done = navigator.clipboard ? navigator.clipboard.writeText( address.value ) : Promise.resolve( document.execCommand( 'copy' ) );
			done.then( () => {
				copy.textContent = copy.dataset.done;
				wp.a11y.speak( copy.dataset.done );
			} );
		} );
	}
} )();
