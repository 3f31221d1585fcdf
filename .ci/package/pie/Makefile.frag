top = $(srcdir)/../../..
# By the sources' times, and not each time: "sudo make install" must not run cargo as another user.
$(phplibdir)/tenant_crm_sync.so: $(shell find $(top)/src $(top)/Cargo.toml $(top)/Cargo.lock $(top)/build.rs -type f)
	cd $(top) && PHP=$(PHP_EXECUTABLE) PHP_CONFIG=$(PHP_CONFIG) CARGO_TARGET_DIR=$${CARGO_TARGET_DIR:-target} $(CARGO) build --release --locked
	cd $(top) && cp $${CARGO_TARGET_DIR:-target}/release/libtenant_crm_sync.so $@
