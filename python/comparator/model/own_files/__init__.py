"""What a model's own files tell of its hyperparameters, and copies of them with other values; they are read, not run.

| of | modules |
|---|---|
| all of them, and what they import or name | told |
| a script in Python | source, signatures |
| one in R | r_options |
| a file of settings | settings_file, yaml_copy |
| a script as one | script_constants, changed_tables |
| a module that a script imports as one | imported_settings |
"""
