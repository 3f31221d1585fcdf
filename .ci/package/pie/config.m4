dnl What phpize makes configure and a Makefile of, for PIE and for whoever builds as C extensions are built:
dnl   cd .ci/package/pie && phpize && ./configure && make && make install
dnl cargo does the work; this only finds it and says where the result must be.
PHP_ARG_ENABLE([tenant-crm-sync], [whether to build tenant_crm_sync],
  [AS_HELP_STRING([--enable-tenant-crm-sync], [Build tenant_crm_sync])], [yes], [yes])

if test "$PHP_TENANT_CRM_SYNC" != "no"; then
  AC_PATH_PROG([CARGO], [cargo], [], [$HOME/.cargo/bin$PATH_SEPARATOR$PATH])
  if test -z "$CARGO"; then
    AC_MSG_ERROR([cargo is not found: install Rust 1.89 or newer, https://rustup.rs])
  fi
  PHP_SUBST([CARGO])
  PHP_SUBST([PHP_CONFIG])
  PHP_MODULES="$PHP_MODULES \$(phplibdir)/tenant_crm_sync.so"
  PHP_ADD_BUILD_DIR([modules])
  PHP_ADD_MAKEFILE_FRAGMENT([$abs_srcdir/Makefile.frag], [$abs_srcdir], [$abs_builddir])
fi
