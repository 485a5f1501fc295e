"""Every sentence that people read, made safe for where they read it."""
