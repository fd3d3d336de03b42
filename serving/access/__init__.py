"""Who somebody is: keys and the roles they give, sessions of browsers, and where a request comes from."""
