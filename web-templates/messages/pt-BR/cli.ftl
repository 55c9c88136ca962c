# Senhas: usadas pela linha de comando e pelo painel.
password-short = A senha precisa de pelo menos { $shortest } caracteres.
password-long = A senha pode ter no máximo { $longest } caracteres.
password-control = A senha contém um caractere de controle.
password-common = Esta senha é uma das primeiras que qualquer pessoa tentaria. Escolha outra, por exemplo três ou quatro palavras sem relação entre si.
