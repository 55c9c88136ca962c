# Passwords: used by the command line and by the dashboard.
password-short = The password needs at least { $shortest } characters.
password-long = The password may have at most { $longest } characters.
password-control = The password has a control character in it.
password-common = This password is one of the first that anybody would try. Choose another, such as three or four words that do not belong together.
